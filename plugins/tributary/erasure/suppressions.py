"""The suppression list: who was erased, so that no replay, repair or backfill brings anyone back."""

from collections.abc import Iterable, Mapping
from uuid import uuid4

from tributary.contracts.model import Contract
from tributary.privacy.rows import Suppressed
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.tables import fence_name, migrate

TABLE = "ops.suppressions"
MAILBOX = "email"


def suppressed(warehouse: Warehouse, source: str, client_id: str) -> Suppressed:
    """The erased people of a client, as their records in a source can be recognised."""
    found = [row for row in warehouse.list_rows(TABLE) if row["client_id"] == client_id]
    ids, mailboxes = (
        frozenset(str(row["value"]) for row in found if row["kind"] == kind) for kind in (source, MAILBOX)
    )
    return Suppressed(ids, mailboxes, len(found))


def suppress(warehouse: Warehouse, client_id: str, values: Mapping[str, Iterable[str]], labels: dict[str, str]) -> int:
    """Add to the list: `email` -> digests, source -> record ids. Returns how many were new."""
    migrate(warehouse, labels)
    known = {(row["client_id"], row["kind"], row["value"]) for row in warehouse.list_rows(TABLE)}
    wanted = [(client_id, kind, value) for kind, found in values.items() for value in found]
    new = [entry for entry in dict.fromkeys(wanted) if entry not in known]
    if new:
        tuples = ", ".join(f"({', '.join(map(literal, entry))}, current_timestamp())" for entry in new)
        columns = "client_id, kind, value, suppressed_at"
        warehouse.query(f"insert into `{warehouse.project}.{TABLE}` ({columns}) values {tuples}", labels)
    return len(new)


def meet_loads(warehouse: Warehouse, contracts: Iterable[Contract], labels: dict[str, str]) -> None:
    """Take the fence of every stream, as a load does: one that is being committed is waited for, so that what it wrote
    can be erased, and one that began before the list had grown begins again, and sees that it has.

    A stream without a fence has no load yet that could have begun.
    """
    there = set(warehouse.tables("ops"))
    taken = f"load_id = {literal(f'erasure {uuid4().hex}')}, taken_at = current_timestamp()"
    fences = [name for name in map(fence_name, contracts) if name.partition(".")[2] in there]
    if fences:
        statements = [f"update `{warehouse.project}.{name}` set {taken} where true;" for name in fences]
        warehouse.query("\n".join(statements), labels)
