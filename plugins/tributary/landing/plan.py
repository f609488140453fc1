"""Plans the extraction of a run: one item per client, stream and chunk."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Self

import msgspec

from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError
from tributary.windows import Window, parse, stamp, subtract

AUTO = "auto"
#: A run about a window that ended longer ago is a backfill: it is about its own window and closes no gap.
CURRENT = timedelta(days=25)
#: A chunk of a first load has about so many records, and there are at most so many chunks.
CHUNK_RECORDS, CHUNKS = 5_000, 8
#: One load takes so many: BigQuery allows a script of 1 MB.
MOST_CHUNKS = 60


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One extraction, small enough for XCom. Times are ISO strings in UTC."""

    source: str
    stream: str
    client_id: str
    axis: Axis
    axis_reason: str
    window_start: str
    window_end: str
    #: Records that are read by id besides, whatever the window holds.
    ids: tuple[str, ...] = ()
    #: The landing folder that is flattened again, for a replay; nothing is asked of the API.
    folder: str | None = None

    @property
    def window(self) -> Window:
        return Window(parse(self.window_start), parse(self.window_end))

    @property
    def label(self) -> str:
        """The name of this item in the web UI."""
        days = f"{self.window_start[:10]}..{self.window_end[:10]}"
        return f"{self.client_id} {'whole' if self.axis == Axis.WHOLE else days}"

    def to_dict(self) -> dict[str, Any]:
        return {**msgspec.to_builtins(self), "label": self.label}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return msgspec.convert(data, cls)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The request of a run: its window, and the fields of the trigger form."""

    window: Window
    #: The window was given in the form, so it is meant literally.
    explicit: bool = False
    axis: str = AUTO
    chunk_days: int | None = None
    #: Read everything from the client's first day on.
    everything: bool = False


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a client's stream at planning time."""

    #: The source's own clock.
    now: datetime
    #: What the ledger covers on the contract's daily axis.
    covered: Sequence[Window] = ()
    #: How far back the source knows what changed; None: without end.
    feed_memory: timedelta | None = None


class Span(msgspec.Struct, frozen=True):
    """A range to read, with the reason for its axis."""

    axis: Axis
    reason: str
    window: Window


def choose(kind: str, wanted: Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """The wanted names, all known ones when none is given; an unknown name is refused."""
    known = list(known)
    unknown = sorted(set(wanted or ()) - set(known))
    if unknown:
        raise RefusedError(f"unknown {kind} {', '.join(map(repr, unknown))}; this DAG has {', '.join(known)}")
    return [name for name in known if not wanted or name in set(wanted)]


def span(contract: Contract, client: Client, wish: Wish, outlook: Outlook) -> Span:
    """The axis and window of one stream and client.

    The window is widened by the look-back. A run about the present begins where the ledger's coverage ends, however
    long ago that is, so that a day that failed or was never run is made up for by the next.
    """
    since, end = client.since_at, wish.window.end
    wide = wish.window.widened(contract.lookback, since)
    if contract.daily == Axis.WHOLE:
        return Span(Axis.WHOLE, "the collection is read from end to end", Window(min(since, wide.start), end))
    if wish.everything:
        return Span(Axis.CREATED, "asked to read everything", Window(since, end))
    if wish.axis == Axis.CHANGED and contract.daily == Axis.CREATED:
        return Span(Axis.CREATED, "changes were asked for, but nothing tells of this stream's", wide)
    if wish.axis != AUTO:
        return Span(Axis(wish.axis), "asked for", wide)
    gap = _gap(client, wish, outlook)
    start = min(wide.start, max(since, gap - contract.lookback)) if gap else wide.start
    if start <= since:
        reason = "the ledger holds nothing yet" if gap else "the window begins with the account"
        return Span(Axis.CREATED, f"{reason}, so all that was created is listed", Window(start, end))
    if contract.daily == Axis.CHANGED and outlook.feed_memory and start < outlook.now - outlook.feed_memory:
        if gap:
            reason = f"the ledger lacks what came after {stamp(gap)}, longer ago than the event feed reaches"
            return Span(Axis.CREATED, f"{reason}, so everything is listed again", Window(since, end))
        reason = "the window is older than the event feed reaches, so it is listed by creation date"
        return Span(Axis.CREATED, reason, wide)
    reason = f"the ledger lacks what came after {stamp(gap)}" if gap else "the contract's daily axis"
    return Span(contract.daily, reason, Window(start, end))


def _gap(client: Client, wish: Wish, outlook: Outlook) -> datetime | None:
    """The moment before the window from which on the ledger has a gap."""
    if wish.explicit or wish.window.end < outlook.now - CURRENT or wish.window.start <= client.since_at:
        return None
    missing = subtract(Window(client.since_at, wish.window.start), outlook.covered)
    return missing[0].start if missing else None


def items(contract: Contract, client: Client, found: Span, cuts: Sequence[datetime] = ()) -> Iterator[WorkItem]:
    """The work items of one client, oldest first, its span cut at these moments."""
    edges = [
        found.window.start,
        *(cut for cut in cuts if found.window.start < cut < found.window.end),
        found.window.end,
    ]
    for start, end in pairwise(edges):
        yield WorkItem(
            source=contract.source,
            stream=contract.stream,
            client_id=client.client_id,
            axis=found.axis,
            axis_reason=found.reason,
            window_start=stamp(start),
            window_end=stamp(end),
        )


def cuts_by_days(window: Window, days: int) -> list[datetime]:
    """Cuts after every `days` days."""
    return [chunk.start for chunk in window.chunks(days)][1:]


def cuts_by_size(window: Window, oldest: datetime, records: int) -> list[datetime]:
    """Cuts that share the time since the oldest record out, on full days; none where there is little to read."""
    chunks = min(CHUNKS, records // CHUNK_RECORDS)
    if chunks < 2:
        return []
    step = (window.end - oldest) / chunks
    days = {(oldest + step * number).replace(hour=0, minute=0, second=0, microsecond=0) for number in range(1, chunks)}
    return sorted(days)
