"""Raw rows of a small simulated company, as the oracle says a pipeline would have loaded them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from include.simulators.books import world_books
from include.simulators.world.build import World
from tests.oracle import Books, Load
from tests.oracle.raw import Source, Table

Row = dict[str, Any]


def books_of(world: World) -> Books:
    """The books of a world in this process."""
    return Books(lambda collection, moment: list(world_books(world, collection, int(moment.timestamp() * 1000))))


def day(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def history_and_two_days() -> list[Load]:
    """A load of all history, then two daily ones with a day of look-back, each at six in the morning."""
    sources: tuple[Source, ...] = ("stripe", "hubspot")
    return [
        load
        for source in sources
        for load in (
            Load(source, "created", day(2024, 7, 1), day(2026, 1, 4), day(2026, 1, 4, 6)),
            Load(source, "changed", day(2026, 1, 3), day(2026, 1, 5), day(2026, 1, 5, 6)),
            Load(source, "changed", day(2026, 1, 4), day(2026, 1, 6), day(2026, 1, 6, 6)),
        )
    ]


def as_rows(table: Table, observed_at: datetime, client: str) -> list[Row]:
    """Rows for `Warehouse.load`: expected ones with the system columns that staging reads."""
    stamp = observed_at.isoformat()
    return [
        {column: _json(value) for column, value in row.items() if column != "_deleted"}
        | {"client_id": client, "_observed_at": stamp, "_deleted_at": stamp if row["_deleted"] else None}
        for row in table.values()
    ]


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
