"""The two kinds of failure that a task can meet."""


class TributaryError(Exception):
    """Something went wrong that another attempt may cure (an API that is down, a load that was aborted).

    The message names the table, window, connection or file and the next step, and holds no payload.
    """


class RefusedError(TributaryError):
    """No retry can cure it (a contract, a credential, a window, a count), so the task fails at once."""
