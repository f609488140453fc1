"""Brings a table that is there up to its contract: new columns, wider types, and what `_extra` kept for them.

Done before the load transaction, and so that a crash in between loses nothing: a column says in its description that it
is not filled yet, and the next load of the stream goes on with it.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tributary.contracts.model import WIDENINGS, Contract, TableSpec
from tributary.contracts.values import FLOAT64_EXACT
from tributary.errors import RefusedError
from tributary.flatten.careful import ExtraReader
from tributary.landing.lake import LineWriter
from tributary.warehouse.literals import literal
from tributary.warehouse.load import load_parts
from tributary.warehouse.protocol import LoadRefusedError, Warehouse
from tributary.warehouse.schema import Field, history_schema, raw_schema, sql_type

log = logging.getLogger(__name__)

ADDED, WIDENED = "added", "widened"
_MARKS = {kind: f"{kind.capitalize()}, not yet filled from _extra. " for kind in (ADDED, WIDENED)}
Columns = Mapping[str, Field]
_WIDER = {(str(before), str(after)) for before, after in WIDENINGS}


@dataclass(frozen=True)
class Change:
    """A difference between a table and its contract."""

    kind: str
    #: The column as the contract has it.
    field: Field
    #: Its type in the table; None where it is not there.
    found: str | None

    @property
    def name(self) -> str:
        return str(self.field["name"])

    @property
    def wanted(self) -> str:
        return sql_type(self.field["type"])


def changes(table: str, have: Columns, wanted: Sequence[Field]) -> list[Change]:
    """Return the changes to apply to a table. Columns that only the table has stay, for loads of a former release.

    Raises:
        RefusedError: contract and table differ in a way that is not mended by itself.
    """
    return [change for field in wanted if (change := _change(table, have.get(field["name"]), field))]


def _change(table: str, have: Field | None, field: Field) -> Change | None:
    wanted, wanted_mode = sql_type(field["type"]), field["mode"]
    if have is None:
        if wanted_mode == "REQUIRED":
            raise _differ(table, field, "no such column", f"{wanted} {wanted_mode}")
        return Change(ADDED, field, None)
    found, mode = sql_type(have["type"]), have.get("mode", "NULLABLE")
    if mode != wanted_mode or (found != wanted and (found, wanted) not in _WIDER):
        raise _differ(table, field, f"{found} {mode}", f"{wanted} {wanted_mode}")
    if found != wanted:
        return Change(WIDENED, field, found)
    for kind, mark in _MARKS.items():
        if have.get("description", "").startswith(mark):
            return Change(kind, field, found)
    return None


def _differ(table: str, field: Field, found: str, wanted: str) -> RefusedError:
    return RefusedError(
        f"{table}, column {field['name']}: the table has {found}, the contract wants {wanted}, and a load changes the "
        "one into the other only where nothing can be lost; nothing was loaded. Let the contract say what the table "
        "has, or make the table anew (docs/runbooks/schema-drift.md), and clear the flatten task"
    )


def evolve(
    *,
    warehouse: Warehouse,
    bucket: Any,
    contract: Contract,
    tables: Mapping[str, Columns],
    load_id: str,
    run_id: str,
    labels: dict[str, str],
) -> None:
    """Bring the tables of a stream up to its contract; `tables` holds the columns of those that are there, by name.

    Raises:
        RefusedError: a difference that only people can mend. No table was changed.
    """
    plans = []
    for table in contract.tables:
        for dataset, schema in (("raw_history", history_schema(table)), ("raw", raw_schema(table))):
            name = f"{dataset}.{table.name}"
            if (have := tables.get(name)) is not None and (found := changes(name, have, schema)):
                _refuse_inexact(warehouse, name, found, labels)
                plans.append((table, name, have, found))
    for table, name, have, found in plans:
        log.info("%s: %s", name, ", ".join(f"{change.name} is {change.kind}" for change in found))
        warehouse.put_columns(name, [_described(change, _MARKS[change.kind]) for change in found])
        for change in found:
            if change.found not in (None, change.wanted):
                column = f"alter column {change.name} set data type {change.wanted}"
                warehouse.query(f"alter table `{warehouse.project}.{name}` {column}", labels)
        filled = _fill(warehouse, bucket, table, name, have, found, load_id, labels)
        log.info("%s: %d rows had values of them in _extra", name, filled)
        for change in found:
            _record(warehouse, contract, table, name, change, filled, load_id, run_id, labels)
        warehouse.put_columns(name, [change.field for change in found])


def _described(change: Change, mark: str) -> Field:
    return {**change.field, "description": f"{mark}{change.field['description']}"}


def _refuse_inexact(warehouse: Warehouse, name: str, found: Sequence[Change], labels: dict[str, str]) -> None:
    """INT64 becomes FLOAT64 only where every value stays what it is."""
    for change in found:
        if (change.found, change.wanted) == ("INT64", "FLOAT64"):
            sql = f"select count(*) as n from `{warehouse.project}.{name}` where abs({change.name}) > {FLOAT64_EXACT}"
            if n := warehouse.query(sql, labels)[0]["n"]:
                raise _differ(name, change.field, f"INT64 with {n} values beyond 2^53", "FLOAT64")


def _fill(
    warehouse: Warehouse,
    bucket: Any,
    table: TableSpec,
    name: str,
    have: Columns,
    found: Sequence[Change],
    load_id: str,
    labels: dict[str, str],
) -> int:
    """Move what `_extra` holds of columns into them, typed as flattening types it; the number of rows. What is to be
    hashed or dropped is only taken out.

    The row's hash stays: a record that is read again counts as changed once.
    """
    # The hash, too: a person who is erased meanwhile changes nothing else, and must not come back.
    ids = ["client_id", *table.key, "_observed_at", "_valid_from", "_row_hash"]
    ids += ["_valid_to"] if "_valid_to" in have else []
    quoted, stem = f"`{warehouse.project}.{name}`", f"{name.replace('.', '_')}__{load_id}_extra"
    rows = warehouse.rows(
        f"select {', '.join(ids)}, to_json_string(_extra) as _extra from {quoted} where _extra is not null", labels
    )
    names = [change.name for change in found]
    writer, parts = LineWriter(bucket, f"staged/evolve/{stem}"), []
    for line in _filled(rows, ExtraReader(table, names)):
        writer.write(line)
        if writer.full:
            parts.append(writer.close())
    parts.append(writer.close())
    written = [part for part in parts if part]
    if not written:
        return 0
    fields = [{**have[column], "mode": "NULLABLE"} for column in (*ids, "_extra")]
    fields += [{**change.field, "mode": "NULLABLE"} for change in found]
    stage = f"raw_stage.{stem}"
    where = f"{name}, filling {', '.join(names)} from _extra"
    try:
        loaded = load_parts(warehouse, bucket, written, stage, fields, where=where, labels=labels)
    except LoadRefusedError as error:
        raise RefusedError(
            f"{where}: the load job refused {len(error.rows)} or more of {sum(part.lines for part in written)} rows; "
            f"nothing was loaded: {error}. Mend the column in the contract (docs/runbooks/schema-drift.md) and clear "
            "the flatten task"
        ) from None
    taken = ", ".join(f"{column} = coalesce(s.{column}, t.{column})" for column in names)
    # A row that was written meanwhile is another observation.
    same = " and ".join(f"t.{column} = s.{column}" for column in ids)
    warehouse.query(
        f"update {quoted} t set {taken}, _extra = s._extra from ("
        f"select * from `{warehouse.project}.{stage}` where true "
        f"qualify row_number() over (partition by {', '.join(ids)}) = 1) s where {same}",
        labels,
    )
    return loaded


def _filled(rows: Iterator[Mapping[str, Any]], reader: ExtraReader) -> Iterator[bytes]:
    for row in rows:
        if found := reader.read(row["_extra"].encode()):
            values, remains = found
            yield msgspec.json.encode({**row, **values, "_extra": remains or None})


def _record(
    warehouse: Warehouse,
    contract: Contract,
    table: TableSpec,
    name: str,
    change: Change,
    filled: int,
    load_id: str,
    run_id: str,
    labels: dict[str, str],
) -> None:
    drift = f"`{warehouse.project}.ops.schema_drift`"
    found = change.wanted if change.found in (None, change.wanted) else f"{change.found} -> {change.wanted}"
    values: tuple[str | int, ...] = (
        contract.source, table.stream, name, change.kind, change.name, found, filled, contract.version, load_id, run_id,
    )  # fmt: skip
    warehouse.query(
        f"insert into {drift} (source, stream, table_name, kind, column_path, found, records, contract_version, "
        f"load_id, run_id, seen_at) select {', '.join(map(literal, values))}, current_timestamp() from (select 1) "
        f"where not exists (select 1 from {drift} where load_id = {literal(load_id)} and table_name = {literal(name)} "
        f"and column_path = {literal(change.name)})",
        labels,
    )
