"""Finds the parts of a window that the ledger doesn't cover: rows in, gaps out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.windows import Window, subtract


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
    """A part of the window that a build still waits for."""

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
    listing began, so it covers the changes up to its end as well; so does a collection that was read whole. Of a
    listing in pieces, read at different times, that holds up to the first of these times.
    """
    axis, since = contract.daily, client.since_at
    rows = [row for row in ledger if (row.client_id, row.stream) == (client.client_id, contract.stream)]
    windows = [_honest(Window(row.window_start or since, row.window_end), row) for row in rows if row.axis == axis]
    if axis == Axis.WHOLE:
        return [Window(since, max(window.end for window in windows))] if windows else []
    if axis == Axis.CHANGED and (end := _listed_until(since, [row for row in rows if row.axis == Axis.CREATED])):
        windows.append(Window(since, end))
    return windows


def _listed_until(since: datetime, listings: Sequence[Loaded]) -> datetime | None:
    """The last moment at which listings by creation date show everything: no part of it was listed before."""
    if not any(row.window_start and row.window_start <= since for row in listings):
        return None
    for end in sorted({end for row in listings for end in (row.window_end, row.observed_from)}, reverse=True):
        known = [Window(row.window_start or since, row.window_end) for row in listings if row.observed_from >= end]
        if end > since and not subtract(Window(since, end), known):
            return end
    return None


def _honest(window: Window, row: Loaded) -> Window:
    """Nothing is covered beyond the moment at which the source was asked."""
    return Window(window.start, max(window.start, min(window.end, row.observed_from)))
