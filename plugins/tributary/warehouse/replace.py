"""The load transaction of one stream: everything that one run staged, or nothing."""

import logging
from datetime import date, datetime
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from tributary.clients import load_clients
from tributary.contracts.model import Axis, Contract, TableSpec
from tributary.contracts.system import SYSTEM_COLUMNS
from tributary.errors import RefusedError, TributaryError
from tributary.flatten.manifest import StagedManifest
from tributary.sources import source
from tributary.warehouse.evolve import evolve
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import ConflictError, Warehouse
from tributary.warehouse.schema import REJECT_SCHEMA
from tributary.warehouse.stage import Staged
from tributary.warehouse.tables import LEDGER_COLUMNS, RESOLUTION_COLUMNS, ensure_tables, fence_name, render

log = logging.getLogger(__name__)

ALREADY_LOADED = "this load is in the ledger already"
"""What the script says when an earlier attempt, whose answer was lost, was committed after all."""
MOVED = "another load of this stream was committed meanwhile"
"""What the script says when the partition bounds, which were looked up before it began, may no longer hold."""
ATTEMPTS = 10
BACKOFF = wait_random_exponential(multiplier=1, max=30)
"""Full jitter, so that loads which met once don't meet again."""
COUNTS = ("received", "loaded", "unchanged", "superseded", "duplicate", "rejected", "gone", "tombstoned")


def replace(
    *,
    warehouse: Warehouse,
    bucket: Any,
    contract: Contract,
    staged: list[tuple[Staged, StagedManifest]],
    load_id: str,
    attempt: int,
    dag_id: str,
    run_id: str,
    labels: dict[str, str],
) -> list[dict[str, Any]]:
    """Load what was staged and return the ledger's counts, one row per client, window and table.

    A load that is in the ledger already is not repeated: that is a retry whose answer was lost.

    Raises:
        RefusedError: a count doesn't hold, or a table is not as its contract says; nothing was loaded.
        ConflictError: other loads of the stream were in the way time and again; nothing was loaded.
    """
    tables = ensure_tables(warehouse, contract, labels)
    if rows := _recorded(warehouse, load_id, labels):
        log.info("%s: load %s is in the ledger already", contract.name, load_id)
        return rows
    for _, manifest in staged:
        manifest.refuse_another(contract)
    evolve(
        warehouse=warehouse,
        bucket=bucket,
        contract=contract,
        tables=tables,
        load_id=load_id,
        run_id=run_id,
        labels=labels,
    )

    def attempt_once() -> None:
        # The fence first: who committed after this moment is noticed by the script.
        fence = _fence(warehouse, contract, labels)
        script = render_replace(
            contract=contract,
            staged=staged,
            project=warehouse.project,
            bounds=_bounds(warehouse, contract, staged, labels),
            fence=fence,
            load_id=load_id,
            attempt=attempt,
            dag_id=dag_id,
            run_id=run_id,
        )
        try:
            warehouse.query(script, labels)
        except TributaryError as error:
            if MOVED in str(error):
                raise ConflictError(f"{contract.name}: {MOVED}") from None
            if ALREADY_LOADED not in str(error):
                raise

    Retrying(
        retry=retry_if_exception_type(ConflictError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=BACKOFF,
        before_sleep=_log_conflict,
        reraise=True,
    )(attempt_once)
    rows = _recorded(warehouse, load_id, labels)
    for row in rows:
        counts = ", ".join(f"{name} {row[name]}" for name in COUNTS)
        log.info("%s of client %s, %s axis: %s", row["table_name"], row["client_id"], row["axis"], counts)
    return rows


def render_replace(
    *,
    contract: Contract,
    staged: list[tuple[Staged, StagedManifest]],
    project: str,
    bounds: str,
    fence: str | None,
    load_id: str,
    attempt: int,
    dag_id: str,
    run_id: str,
) -> str:
    """The script, with every value as a literal."""
    own, *children = contract.tables
    rejects = [f"select * from {_quoted(project, chunk.rejects)}" for chunk, _ in staged if chunk.rejects]
    return render(
        "replace.sql",
        project=project,
        source=contract.source,
        load_id=literal(load_id),
        run_id=literal(run_id),
        dag_id=literal(dag_id),
        suffix=f"{load_id}_{attempt}",
        own=_table(project, own, bounds)
        | {
            "created": contract.time.created if contract.time else None,
            "unlisted": contract.unlisted or None,
            "fence": _quoted(project, fence_name(contract)),
            "fence_seen": literal(fence),
        },
        already_loaded=ALREADY_LOADED,
        moved=MOVED,
        children=[_child(project, child, bounds) for child in children],
        chunks=[_chunk(project, contract, number, *chunk) for number, chunk in enumerate(staged)],
        # What a walk tells of merges, and that records are archived: both are rare, and their statements are not free.
        merges=", ".join(contract.merged_ids) if any(m.tables[own.name].gone for _, m in staged) else "",
        archived=contract.sparse_when_archived and any(m.tables[own.name].archived for _, m in staged),
        rejects=f"({' union all '.join(rejects)})" if rejects else None,
        drift=[_drift(contract, manifest, report) for _, manifest in staged for report in manifest.drift],
        ledger_columns=LEDGER_COLUMNS,
        reject_columns=[field["name"] for field in REJECT_SCHEMA],
        resolution_columns=RESOLUTION_COLUMNS,
        tombstone_floor=contract.limits.floor(contract.limits.tombstones),
        tombstone_limit=contract.limits.tombstones,
    )


def _table(project: str, table: TableSpec, bounds: str) -> dict[str, Any]:
    return {
        "name": table.name,
        "stream": table.stream,
        "key": table.key,
        "columns": [*(column.name for column in table.columns), *SYSTEM_COLUMNS],
        "attributes": [column.name for column in table.columns if column.name not in table.key],
        "raw": _quoted(project, f"raw.{table.name}"),
        "history": _quoted(project, f"raw_history.{table.name}"),
        "bounds": bounds,
    }


def _child(project: str, table: TableSpec, bounds: str) -> dict[str, Any]:
    assert table.child is not None
    more = {"parent_key": table.parent_key, "keeps_vanished": table.child.keeps_vanished}
    return _table(project, table, bounds) | more


def _chunk(project: str, contract: Contract, number: int, staged: Staged, manifest: StagedManifest) -> dict[str, Any]:
    item = manifest.item
    own = contract.tables[0].name
    received = {name: table.rows + table.rejected for name, table in manifest.tables.items()}
    if received[own] != manifest.received:
        raise RefusedError(
            f"{own} for client {item.client_id}, {item.window}: the API answered {manifest.received} records, "
            f"{received[own]} were flattened; nothing was loaded. Clear the extract task to read the window again"
        )
    whole = manifest.axis == Axis.WHOLE
    return {
        "number": number,
        "label": literal(str(item.window)),
        "client_id": literal(item.client_id),
        "axis": manifest.axis,
        "axis_reason": literal(manifest.axis_reason),
        "window_start": "cast(null as timestamp)" if whole else literal(item.window.start),
        "window_end": literal(manifest.covered_until or item.window.end),
        "observed_from": literal(manifest.observed_from),
        "observed_to": literal(manifest.observed_to),
        "contract_version": manifest.contract_version,
        "extraction_id": literal(manifest.extraction_id),
        "stages": {name: _quoted(project, table) for name, table in staged.tables.items()},
        "rows": {name: table.rows + table.gone for name, table in manifest.tables.items()},
        "received": received,
        "rejected": {name: table.rejected for name, table in manifest.tables.items()},
        "gone": manifest.tables[own].gone,
        "from_the_first_day": _from_the_first_day(contract, manifest),
        "everything": _lists_everything(contract, manifest),
        # What could not be read is not gone.
        "tombstones": _tells_what_is_gone(contract, manifest) and not (manifest.keyless_rejects or manifest.unread),
        "requests": manifest.requests.get("requests", 0),
        "suppressions": manifest.suppressions,
    }


def _tells_what_is_gone(contract: Contract, manifest: StagedManifest) -> bool:
    """Return True if the listing proves that a record it lacks was deleted.

    A change feed holds only what changed, and some lists leave out what exists. A record whose create date was edited
    is in another window now: where that can happen, only a listing from the account's first day on is sure to hold it.
    """
    if manifest.axis == Axis.CHANGED or contract.append_only or contract.unlisted is True:
        return False
    if manifest.axis == Axis.WHOLE or contract.time is None or contract.time.immutable:
        return True
    return _from_the_first_day(contract, manifest)


def _lists_everything(contract: Contract, manifest: StagedManifest) -> bool:
    """Return True if the listing holds every record, whatever its date is and even if it has none."""
    if manifest.axis == Axis.CREATED and contract.time is not None:
        return source(contract.source).lists_by_id and _from_the_first_day(contract, manifest)
    return manifest.axis != Axis.CHANGED


def _from_the_first_day(contract: Contract, manifest: StagedManifest) -> bool:
    client = load_clients(contract.source).get(manifest.item.client_id)
    return client is not None and manifest.item.window.start <= client.since_at


def _drift(contract: Contract, manifest: StagedManifest, report: Any) -> str:
    stream = report.table.removeprefix(f"{contract.source}_")
    values = (
        manifest.item.client_id, contract.source, stream, report.table, report.kind, report.path, report.found,
        report.records, report.pointer, manifest.contract_version,
    )  # fmt: skip
    return ", ".join(literal(value) for value in values)


def _bounds(
    warehouse: Warehouse, contract: Contract, staged: list[tuple[Staged, StagedManifest]], labels: dict[str, str]
) -> str:
    """The partitions that the load can touch, as a literal condition."""
    manifests = [manifest for _, manifest in staged]
    if contract.time is None or any(_lists_everything(contract, manifest) for manifest in manifests):
        return "_record_date >= date '0001-01-01'"
    own = contract.tables[0]
    days: list[date] = []
    for manifest in manifests:
        table = manifest.tables[own.name]
        days += [date.fromisoformat(day) for day in (table.first_date, table.last_date) if day]
        if manifest.axis == Axis.CREATED:
            days += [manifest.item.window.start.date(), manifest.item.window.end.date()]
    if not contract.time.immutable or any(manifest.tables[own.name].gone for manifest in manifests):
        days += _partitions_held(warehouse, contract, staged, labels)
    if not days:
        return "_record_date = date '0001-01-01'"
    return f"_record_date between {literal(min(days))} and {literal(max(days))}"


def _partitions_held(
    warehouse: Warehouse, contract: Contract, staged: list[tuple[Staged, StagedManifest]], labels: dict[str, str]
) -> list[date]:
    """Return the first and last partition that holds staged keys or records of the windows.

    A create date that was edited doesn't move its row, and a deletion notice has no date at all. Reads keys and dates.
    """
    assert contract.time is not None
    own = contract.tables[0]
    raw = _quoted(warehouse.project, f"raw.{own.name}")
    same = " and ".join(f"t.{column} = s.{column}" for column in ("client_id", *own.key))
    parts = []
    for chunk, manifest in staged:
        stage_table = _quoted(warehouse.project, chunk.tables[own.name])
        parts.append(f"select t._record_date as d from {raw} t join {stage_table} s on {same}")
        if manifest.axis == Axis.CREATED:
            window, created = manifest.item.window, contract.time.created
            parts.append(
                f"select _record_date from {raw} where client_id = {literal(manifest.item.client_id)} "
                f"and {created} >= {literal(window.start)} and {created} < {literal(window.end)}"
            )
    rows = warehouse.query(f"select min(d) as first, max(d) as last from ({' union all '.join(parts)})", labels)
    return [_day(value) for row in rows for value in (row["first"], row["last"]) if value is not None]


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _fence(warehouse: Warehouse, contract: Contract, labels: dict[str, str]) -> str | None:
    """The load that took the stream's fence last."""
    rows = warehouse.query(f"select load_id from {_quoted(warehouse.project, fence_name(contract))}", labels)
    return rows[0]["load_id"] if rows else None


def _log_conflict(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0.0
    log.warning("%s; attempt %d of %d in %.1f s", error, state.attempt_number + 1, ATTEMPTS, seconds)


def _recorded(warehouse: Warehouse, load_id: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    ledger = f"`{warehouse.project}.ops.ledger`"
    columns = ", ".join(("client_id", "stream", "table_name", "axis", *COUNTS))
    return warehouse.query(
        f"select {columns} from {ledger} where load_id = {literal(load_id)} order by client_id, table_name", labels
    )


def _quoted(project: str, table: str | None) -> str:
    return f"`{project}.{table}`"
