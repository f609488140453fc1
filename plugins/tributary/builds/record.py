"""Builds in ops.ledger: those that ended and those that began, and what was loaded between them."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from tributary.builds.scope import Build, news_since
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.windows import Window

BEGUN, DONE = "build_begun", "build"


def touched(warehouse: Warehouse, name: str, build: Build, labels: dict[str, str]) -> dict[str, list[str]] | None:
    """Raw table -> months (their first days) that loads touched since the last build; None when all is to be built."""
    since = news_since(build, _since_the_last(builds(warehouse, name, labels)), _held(warehouse, labels))
    if since is None:
        return None
    # Columns that a load brought up to their contract were filled in every month.
    [changed] = warehouse.query(
        f"select count(*) as n from `{warehouse.project}.ops.schema_drift` "
        f"where kind in ('added', 'widened') and records > 0 and seen_at > {literal(since)}",
        labels,
    )
    if changed["n"]:
        return None
    rows = warehouse.query(
        f"select distinct table_name, day from `{warehouse.project}.ops.ledger`, unnest(partitions) as day "
        f"where kind = 'load' and loaded_at > {literal(since)}",
        labels,
    )
    months: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        months[row["table_name"]].add(row["day"].replace(day=1).isoformat())
    return {table: sorted(days) for table, days in sorted(months.items())}


def record(
    warehouse: Warehouse,
    *,
    name: str,
    kind: str,
    window: Window,
    build: Build,
    load_id: str,
    dag_id: str,
    run_id: str,
    labels: dict[str, str],
) -> None:
    """Add the row of a build that begins (`BEGUN`) or has ended (`DONE`); a retry finds it there."""
    ledger = f"`{warehouse.project}.ops.ledger`"
    row = {
        "load_id": literal(load_id),
        "kind": literal(kind),
        "stream": literal(name),
        "axis": "'whole'",
        "axis_reason": literal("everything" if build.whole else "what was touched since the last build"),
        "window_start": literal(window.start),
        "window_end": literal(window.end),
        "observed_from": literal(build.known_at),
        "project": literal(build.project),
        "dag_id": literal(dag_id),
        "run_id": literal(run_id),
        "loaded_at": "current_timestamp()",
    }
    warehouse.query(
        f"insert into {ledger} ({', '.join(row)}) select {', '.join(row.values())} from (select 1) "
        f"where not exists (select 1 from {ledger} where load_id = {literal(load_id)})",
        labels,
    )


def builds(warehouse: Warehouse, name: str, labels: dict[str, str]) -> list[Build]:
    """Every build, where it began and where it ended, in order."""
    if "project" not in (warehouse.columns("ops.ledger") or ()):
        return []
    rows = warehouse.query(
        "select kind, window_end, observed_from, project, axis_reason = 'everything' as whole "
        f"from `{warehouse.project}.ops.ledger` "
        f"where kind in ({literal(BEGUN)}, {literal(DONE)}) and stream = {literal(name)} order by loaded_at",
        labels,
    )
    return [
        Build(_utc(r["window_end"]), _utc(r["observed_from"]), r["project"] or "", r["whole"], r["kind"] == DONE)
        for r in rows
    ]


def _since_the_last(builds: list[Build]) -> list[Build]:
    """The last build that ended, and those that began after it."""
    ended = [number for number, build in enumerate(builds) if build.done]
    return builds[ended[-1] :] if ended else []


def _held(warehouse: Warehouse, labels: dict[str, str]) -> datetime | None:
    """Return the `known_at` of the last build, whichever DAG made it."""
    if "known_at" not in (warehouse.columns("staging.int_as_of") or ()):
        return None
    [row] = warehouse.query(f"select max(known_at) as known_at from `{warehouse.project}.staging.int_as_of`", labels)
    return _utc(row["known_at"]) if row["known_at"] else None


def _utc(value: Any) -> datetime:
    moment: datetime = value
    return moment.astimezone(UTC)
