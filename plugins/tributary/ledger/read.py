"""Reads ops.ledger for coverage."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.ledger.coverage import Gap, Loaded, gaps
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.windows import Window


def missing(
    warehouse: Warehouse, need: Window, sources: Iterable[str], labels: dict[str, str], *, required: bool = True
) -> list[Gap]:
    """Return the gaps of `need` in the ledger, over all streams of the sources and their required (or optional)
    clients."""
    found: list[Gap] = []
    for source in sources:
        clients = [client for client in load_clients(source).values() if client.required is required]
        if not clients:
            continue
        found += gaps(need, load_contracts(source).values(), clients, loads(warehouse, source, labels))
    return found


def loads(warehouse: Warehouse, source: str, labels: dict[str, str], stream: str | None = None) -> list[Loaded]:
    """The loads of a source, or of one of its streams, as far as coverage needs them."""
    if warehouse.columns("ops.ledger") is None:
        return []
    rows = warehouse.query(
        "select client_id, stream, axis, window_start, window_end, max(observed_from) as observed_from "
        f"from `{warehouse.project}.ops.ledger` where kind = 'load' and source = {literal(source)} "
        f"{f'and stream = {literal(stream)} ' if stream else ''}"
        "group by client_id, stream, axis, window_start, window_end",
        labels,
    )
    return [
        Loaded(
            client_id=row["client_id"],
            stream=row["stream"],
            axis=row["axis"],
            window_start=_utc(row["window_start"]),
            window_end=_utc(row["window_end"]) or datetime.min.replace(tzinfo=UTC),
            observed_from=_utc(row["observed_from"]) or datetime.min.replace(tzinfo=UTC),
        )
        for row in rows
    ]


def _utc(value: Any) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
