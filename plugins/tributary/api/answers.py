"""Holds an API's answer and the verdict on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `observed_at` is when it arrived, by this machine's clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    observed_at: datetime
    #: Where `body` was mended to be readable: what it was.
    received: bytes = b""

    @property
    def source_now(self) -> datetime:
        """The source's own clock when it answered; ours where it doesn't say."""
        date = self.headers.get("Date")
        return parsedate_to_datetime(date).astimezone(UTC) if date else self.observed_at


class Verdict(Enum):
    """The verdict on an answer: what the client does next."""

    OK = auto()
    MISSING = auto()  # 404 or its like: the caller decides what an absent object means
    RETRY = auto()
    INVALID = auto()  # something in the request is wrong: the caller may know to leave it out
    DEFER = auto()  # a used-up quota, a long wait: waiting in the task would only burn retries
    REFUSE = auto()


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reason, free of payload, and the seconds that the server asked to wait.

    `kind` tells answers of one status apart where they are counted, such as the limit that a 429 is about.
    """

    verdict: Verdict
    reason: str = ""
    wait: float | None = None
    kind: str | None = None


Judge = Callable[[Answer], Judgement]
"""Each source judges its own answers; see `sources/`."""


def id_text(value: Any) -> str | None:
    """An id as text, also one that came as a number; None where there is none."""
    usable = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    return str(value) if usable else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds in a Retry-After header, in either of its two forms."""
    value = headers.get("Retry-After")
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return None
