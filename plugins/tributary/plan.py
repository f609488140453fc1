"""What a run has to extract: one item per client, stream and chunk."""

from collections.abc import Iterable
from typing import Any, Self

import msgspec

from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError
from tributary.windows import Window, parse, stamp

AUTO = "auto"


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One extraction, small enough for XCom. Times are ISO strings in UTC."""

    source: str
    stream: str
    client_id: str
    #: `created`, `changed`, `whole`, or `auto`: the source decides when it knows its own clock.
    axis: str
    window_start: str
    window_end: str
    #: Start of the run's whole window, of which this may be a chunk; decides what `auto` means for all chunks alike.
    run_start: str

    @property
    def window(self) -> Window:
        return Window(parse(self.window_start), parse(self.window_end))

    @property
    def label(self) -> str:
        """What the UI shows for this item."""
        days = f"{self.window_start[:10]}..{self.window_end[:10]}"
        return f"{self.client_id} {'whole' if self.axis == Axis.WHOLE else days}"

    def to_dict(self) -> dict[str, Any]:
        return {**msgspec.to_builtins(self), "label": self.label}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return msgspec.convert(data, cls)


def choose(kind: str, wanted: Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """The wanted names, all known ones when none is given; an unknown name is refused."""
    known = list(known)
    unknown = sorted(set(wanted or ()) - set(known))
    if unknown:
        raise RefusedError(f"unknown {kind} {', '.join(map(repr, unknown))}; this DAG has {', '.join(known)}")
    return [name for name in known if not wanted or name in set(wanted)]


def plan(
    contract: Contract,
    clients: dict[str, Client],
    *,
    window: Window,
    axis: str = AUTO,
    chunk_days: int | None = None,
) -> list[dict[str, Any]]:
    """The work items of one stream: clients in order, chunks oldest first, the window widened by the look-back."""
    items: list[dict[str, Any]] = []
    for client in clients.values():
        whole = contract.daily == Axis.WHOLE
        wide = window.widened(contract.lookback, client.since_at)
        if whole:
            wide = Window(min(client.since_at, wide.start), wide.end)
        for chunk in wide.chunks(None if whole else chunk_days):
            item = WorkItem(
                source=contract.source,
                stream=contract.stream,
                client_id=client.client_id,
                axis=Axis.WHOLE if whole else axis,
                window_start=stamp(chunk.start),
                window_end=stamp(chunk.end),
                run_start=stamp(wide.start),
            )
            items.append(item.to_dict())
    return items
