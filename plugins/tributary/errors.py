"""The three kinds of failure that a task can meet."""

from datetime import datetime


class TributaryError(Exception):
    """Something went wrong that another attempt may cure (an API that is down, a load that was aborted).

    The message names the table, window, connection or file and the next step, and holds no payload.
    """


class RefusedError(TributaryError):
    """No retry can cure it (a contract, a credential, a window, a count), so the task fails at once."""


class PostponedError(TributaryError):
    """It is too early (a daily quota is used up, an index is behind): the task comes back at `until`, by our clock."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(f"{message}; the next attempt is due at {until.isoformat(timespec='seconds')}")
        self.until = until
