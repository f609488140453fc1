"""Finds the records to request by id: those that others name and raw lacks, and those that a list left out."""

from tributary.clients import Client
from tributary.contracts.model import Contract
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse

#: So many are read by id in one run; of more, others are chosen each time.
MOST = 200


def wanted_ids(
    warehouse: Warehouse, contract: Contract, client: Client, salt: str, labels: dict[str, str]
) -> tuple[str, ...]:
    """The ids of a client's records that a run reads one by one. `salt` decides which, where there are too many.

    A named record that can't be had is wanted again by the next run: nothing tells that it never will be there.
    """
    if not (contract.unlisted or contract.named_by):
        return ()
    own, [key] = contract.tables[0], contract.key
    known = warehouse.columns(f"raw.{own.name}")
    if known is None:
        return ()
    raw, client_id = f"`{warehouse.project}.raw", literal(client.client_id)
    parts = []
    for column in contract.named_by:
        table, _, name = column.partition(".")
        if name in (warehouse.columns(f"raw.{table}") or ()):
            parts.append(
                f"select n.{name} as id from {raw}.{table}` n left join {raw}.{own.name}` t "
                f"on t.client_id = n.client_id and t.{key} = n.{name} "
                f"where n.client_id = {client_id} and n.{name} is not null and n._deleted_at is null "
                "and t.client_id is null"
            )
    # What only a column tells of is on a test clock, of which there are none in live mode.
    some = isinstance(contract.unlisted, str)
    if contract.unlisted and contract.time and not (some and client.livemode):
        # A list that was read later than the record, and should have held it if it held everything.
        created = f"t.{contract.time.created}"
        which = f"and t.{contract.unlisted} is not null " if some else ""
        parts.append(
            f"select t.{key} as id from {raw}.{own.name}` t join `{warehouse.project}.ops.ledger` l "
            f"on l.client_id = t.client_id and {created} < l.window_end "
            f"and (l.window_start is null or {created} >= l.window_start) and t._observed_at < l.observed_from "
            f"where t.client_id = {client_id} and t._deleted_at is null {which}"
            f"and l.kind = 'load' and l.table_name = {literal(own.name)} and l.axis != 'changed'"
        )
    if not parts:
        return ()
    rows = warehouse.query(
        f"select distinct id from ({' union all '.join(parts)}) order by md5(concat(id, {literal(salt)})) limit {MOST}",
        labels,
    )
    return tuple(sorted(row["id"] for row in rows))
