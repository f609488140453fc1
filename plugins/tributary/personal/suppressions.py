"""The suppression list: who was erased, so that no replay, repair or backfill brings anyone back."""

from collections.abc import Iterable, Mapping

from tributary.personal.rows import Suppressed
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.tables import migrate

TABLE = "ops.suppressions"
MAILBOX = "email"


def suppressed(warehouse: Warehouse, source: str, client_id: str) -> Suppressed:
    """The erased people of a client, as their records in a source can be recognised."""
    found = [row for row in warehouse.list_rows(TABLE) if row["client_id"] == client_id]
    ids, mailboxes = (
        frozenset(str(row["value"]) for row in found if row["kind"] == kind) for kind in (source, MAILBOX)
    )
    return Suppressed(ids, mailboxes)


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
