"""Errors of the local stack that the user can fix: shown as one message, without a traceback."""


class LocalStackError(Exception):
    """A service could not be started, reached or stopped. The message says what to do."""
