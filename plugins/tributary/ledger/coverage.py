"""Which parts of a window the ledger covers. Pure: rows in, gaps out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.windows import Window, subtract, union


@dataclass(frozen=True)
class Loaded:
    """One row of ops.ledger, as far as coverage needs it."""

    client_id: str
    stream: str
    axis: str
    window_start: datetime | None
    window_end: datetime
    observed_from: datetime


@dataclass(frozen=True)
class Gap:
    """What a build still waits for."""

    client_id: str
    stream: str
    axis: str
    window: Window

    def __str__(self) -> str:
        return f"{self.stream} of client {self.client_id} on the {self.axis} axis for {self.window}"


def gaps(need: Window, contracts: Iterable[Contract], clients: Iterable[Client], ledger: Sequence[Loaded]) -> list[Gap]:
    """The parts of `need` that no load covers yet, for each stream and client on the contract's daily axis."""
    return [
        Gap(client.client_id, contract.name, contract.daily, window)
        for contract in contracts
        for client in clients
        for window in subtract(need, covered(contract, client, ledger))
    ]


def covered(contract: Contract, client: Client, ledger: Sequence[Loaded]) -> list[Window]:
    """The time that the ledger covers for a stream and client, on the contract's daily axis.

    A listing by creation date that reaches back to the account's first day holds every record as it was when the
    listing began, so it covers the changes up to its end as well; so does a collection that was read whole.
    """
    axis, since = contract.daily, client.since_at
    rows = [row for row in ledger if (row.client_id, row.stream) == (client.client_id, contract.stream)]

    def read_on(wanted: Axis) -> list[Window]:
        chosen = (row for row in rows if row.axis == wanted)
        return [_honest(Window(row.window_start or since, row.window_end), row) for row in chosen]

    windows = read_on(axis)
    if axis == Axis.WHOLE:
        return [Window(since, max(window.end for window in windows))] if windows else []
    if axis == Axis.CHANGED:
        windows += [window for window in union(read_on(Axis.CREATED)) if window.start <= since]
    return windows


def _honest(window: Window, row: Loaded) -> Window:
    """Nothing is covered beyond the moment at which the source was asked."""
    return Window(window.start, max(window.start, min(window.end, row.observed_from)))
