"""Time in the world: every instant is an integer of milliseconds since the Unix epoch, always UTC.

Stripe objects carry whole seconds, HubSpot objects ISO strings with milliseconds; both are derived
from the same instants.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """The instant of a UTC calendar date and time."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * SECOND


#: The company's first day, and the end of what is generated (exclusive).
START = instant(2024, 7, 1)
END = instant(2026, 2, 1)

#: Days on which every collection is guaranteed new objects and changes to older ones, in a world of any size.
BUSY_DAYS = tuple(instant(2026, 1, day) for day in range(3, 9))


def parse(text: str) -> int:
    """Reads an ISO 8601 instant. A missing offset means UTC. Raises ValueError if it is no such thing."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso(at: int) -> str:
    """`2026-01-04T06:00:00.000Z`, the form HubSpot uses."""
    whole = _EPOCH + timedelta(milliseconds=at)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def http_date(at: int) -> str:
    """The form of the HTTP `Date` header."""
    return format_datetime(_EPOCH + timedelta(seconds=at // SECOND), usegmt=True)


def date_of(at: int) -> str:
    """`2026-01-04`"""
    return f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%d}"


def add_months(at: int, months: int, anchor_day: int) -> int:
    """`at` moved by whole months to `anchor_day`, or to the last day of a month that is too short for it."""
    moment = _EPOCH + timedelta(milliseconds=at)
    year, month0 = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(anchor_day, calendar.monthrange(year, month0 + 1)[1])
    moved = moment.replace(year=year, month=month0 + 1, day=day)
    return (moved - _EPOCH) // timedelta(milliseconds=1)


def day_of_month(at: int) -> int:
    return (_EPOCH + timedelta(milliseconds=at)).day


def whole_second(at: int) -> int:
    return at - at % SECOND
