"""Raw rows of a small simulated company, as the oracle says a pipeline would have loaded them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from simulators.books import world_books
from simulators.world.build import World
from tests.dbt.warehouse import Row, tables
from tests.oracle import Books, Load, expected_raw
from tests.oracle.raw import Source, Table
from tributary.contracts.model import Pii
from tributary.privacy.keys import Keys


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


@dataclass(frozen=True)
class Loaded:
    """What a series of loads leaves: every raw table, and in raw_history the versions that it replaced."""

    raw: dict[str, Table]
    rows: dict[str, list[Row]]
    history: dict[str, list[Row]]


def loaded(books: Books, loads: Sequence[Load], client: str) -> Loaded:
    """Replays `loads` one observation after the other, as the pipeline's transactions would leave them."""
    rows: dict[str, dict[tuple[str, ...], Row]] = {}
    history: dict[str, list[Row]] = {}
    raw: dict[str, Table] = {}
    for moment in sorted({load.observed_at for load in loads}):
        raw = expected_raw(books, [load for load in loads if load.observed_at <= moment])
        for name, table in raw.items():
            held, past = rows.setdefault(name, {}), history.setdefault(name, [])
            for key, row in _stored(table, moment, client).items():
                before = held.get(key)
                if before is not None and _state(before) == _state(row):
                    continue
                if before is not None:
                    past.append(before | {"_valid_to": moment.isoformat()})
                held[key] = row
            for key in held.keys() - table.keys():  # a child that its parent has no more
                past.append(held.pop(key) | {"_valid_to": moment.isoformat()})
    return Loaded(raw, {name: list(held.values()) for name, held in rows.items()}, history)


def with_a_refunded_link(world: Loaded, client: str) -> Loaded:
    """The world with somebody who paid by a payment link, so without an invoice, and got all of it back."""
    anybody = next(row for row in world.raw["stripe_customers"].values() if not row["_deleted"])
    customer = anybody | {"id": "cus_link", "email": "link@post.example", "currency": None, "metadata": {}}
    customer |= {"created": day(2025, 9, 1)}
    charges = [row for row in world.raw["stripe_charges"].values() if row["status"] == "succeeded"]
    charge = charges[0] | {"id": "ch_link", "payment_intent_id": "pi_link", "customer_id": customer["id"]}
    charge |= {"created": day(2025, 9, 1), "balance_transaction_id": None}
    refund = next(iter(world.raw["stripe_refunds"].values())) | {"id": "re_link", "charge_id": "ch_link"}
    refund |= {"created": day(2025, 9, 2), "balance_transaction_id": None, "status": "succeeded", "reason": None}
    refund |= {"payment_intent_id": "pi_link", "amount": charge["amount"], "currency": charge["currency"]}
    for table, row in (("stripe_customers", customer), ("stripe_charges", charge), ("stripe_refunds", refund)):
        world = _with(world, table, row, client)
    return world


def _with(world: Loaded, table: str, row: Row, client: str) -> Loaded:
    added: Table = {(row["id"],): row}
    rows = [*world.rows[table], *_stored(added, day(2026, 1, 4, 6), client).values()]
    return Loaded(world.raw | {table: world.raw[table] | added}, world.rows | {table: rows}, world.history)


def hashed(world: Loaded, client: str) -> Loaded:
    """The same company as another client, whose e-mail addresses the flatten task has hashed."""
    keys = Keys(b"a key of the tests")
    emails = {
        name: {column.name for column in spec.columns if column.pii == Pii.EMAIL} for name, spec in tables().items()
    }

    def seal(name: str, rows: list[Row]) -> list[Row]:
        digests = [{c: keys.digest(Pii.EMAIL, row[c]) for c in emails[name] if row.get(c)} for row in rows]
        return [row | digest | {"client_id": client} for row, digest in zip(rows, digests, strict=True)]

    return Loaded(
        world.raw,
        {name: seal(name, rows) for name, rows in world.rows.items()},
        {name: seal(name, rows) for name, rows in world.history.items()},
    )


def _state(row: Row) -> Row:
    stamps = ("_observed_at", "_valid_from", "_deleted_at")
    return {column: value for column, value in row.items() if column not in stamps} | {
        "_deleted": row["_deleted_at"] is not None
    }


def _stored(table: Table, moment: datetime, client: str) -> dict[tuple[str, ...], Row]:
    """Rows with the system columns that dbt reads, typed as JSON."""
    stamp = moment.isoformat()
    return {
        key: {column: _json(value) for column, value in row.items() if column != "_deleted"}
        | {"client_id": client, "_observed_at": stamp, "_valid_from": stamp, "_record_date": _record_date(row)}
        | {"_deleted_at": stamp if row["_deleted"] else None}
        for key, row in table.items()
    }


def _record_date(row: Row) -> str:
    """The date that a load fixes: the record's own or, of a part, its parent's; where neither shows, any one date."""
    created = row.get("invoice_created") or row.get("created")
    return created.date().isoformat() if isinstance(created, datetime) else "2025-01-01"


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
