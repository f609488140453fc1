"""What can go wrong with the local stack and is the user's to mend: shown as one message, without a traceback."""


class LocalStackError(Exception):
    """A service could not be started, reached or stopped. The message says what to do."""
