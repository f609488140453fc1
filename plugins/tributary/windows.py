"""Windows: what a run covers, computed in one place for scheduled, triggered, tested and backfilled runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tributary.errors import RefusedError

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """`[start, end)` in UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"[{stamp(self.start)}, {stamp(self.end)})"

    def widened(self, lookback: timedelta, floor: datetime) -> "Window":
        """The window with its start moved back by `lookback`, but not before `floor` (unless it began there)."""
        return Window(min(self.start, max(self.start - lookback, floor)), self.end)

    def chunks(self, days: int | None) -> Iterator["Window"]:
        """The window cut into pieces of `days` days, oldest first; whole when `days` is None."""
        start = self.start
        while days and start + timedelta(days=days) < self.end:
            yield Window(start, start + timedelta(days=days))
            start += timedelta(days=days)
        yield Window(start, self.end)


def stamp(moment: datetime) -> str:
    """`2026-01-05T00:00:00Z`; microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """A date or ISO timestamp as UTC; one without an offset is UTC already."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(
            f"{text!r} is neither a date nor an ISO timestamp; write 2026-01-05 or 2026-01-05T00:00:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def run_window(
    *,
    window_start: str | None,
    window_end: str | None,
    interval_start: datetime | None,
    interval_end: datetime | None,
    run_after: datetime,
    now: datetime,
) -> Window:
    """The window of a run: Params first, else the data interval, else the last full UTC day before `run_after`.

    Raises:
        RefusedError: for half a window, one that is empty or reversed, or one that ends in the future.
    """
    if (window_start is None) != (window_end is None):
        given, missing = ("window_start", "window_end") if window_start else ("window_end", "window_start")
        raise RefusedError(
            f"Param {given} is set but {missing} is not; set both, or neither for the run's own data interval"
        )
    if window_start is not None and window_end is not None:
        window = Window(parse(window_start), parse(window_end))
    elif interval_start is not None and interval_end is not None and interval_start < interval_end:
        window = Window(interval_start.astimezone(UTC), interval_end.astimezone(UTC))
    else:
        midnight = run_after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        window = Window(midnight - DAY, midnight)
    if window.end <= window.start:
        raise RefusedError(f"window {window} ends before it starts; swap window_start and window_end")
    if window.end > now:
        raise RefusedError(f"window {window} ends in the future (now {stamp(now)}); choose an earlier window_end")
    return window


def union(windows: Iterable[Window]) -> list[Window]:
    """The same time as disjoint windows in order."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def subtract(need: Window, have: Iterable[Window]) -> list[Window]:
    """The parts of `need` that no window in `have` covers."""
    missing: list[Window] = []
    start = need.start
    for window in union(have):
        if window.end <= start or window.start >= need.end:
            continue
        if window.start > start:
            missing.append(Window(start, window.start))
        start = max(start, window.end)
    if start < need.end:
        missing.append(Window(start, need.end))
    return missing
