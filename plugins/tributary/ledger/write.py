"""What builds write into ops: their ledger row, and whom they did not wait for. Loads write their own row."""

from collections.abc import Iterable

from tributary.ledger.coverage import Gap
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.tables import migrate
from tributary.windows import Window


def record_build(
    warehouse: Warehouse, *, build: str, window: Window, load_id: str, dag_id: str, run_id: str, labels: dict[str, str]
) -> None:
    """Add the row of a finished build; a retry finds it there."""
    ledger = f"`{warehouse.project}.ops.ledger`"
    row = {
        "load_id": literal(load_id),
        "kind": "'build'",
        "stream": literal(build),
        "axis": "'whole'",
        "window_start": literal(window.start),
        "window_end": literal(window.end),
        "observed_from": "current_timestamp()",
        "dag_id": literal(dag_id),
        "run_id": literal(run_id),
        "loaded_at": "current_timestamp()",
    }
    warehouse.query(
        f"insert into {ledger} ({', '.join(row)}) select {', '.join(row.values())} from (select 1) "
        f"where not exists (select 1 from {ledger} where load_id = {literal(load_id)})",
        labels,
    )


def mark_stale(
    warehouse: Warehouse, gaps: Iterable[Gap], *, window: Window, dag_id: str, run_id: str, labels: dict[str, str]
) -> None:
    """Note what optional clients lack in a build, for those who read its numbers: `ops.stream_status` shows it."""
    rows = []
    for gap in gaps:
        source, _, stream = gap.stream.partition(".")
        texts = ", ".join(map(literal, (source, stream, gap.client_id, gap.axis)))
        missing = f"{literal(gap.window.start)}, {literal(gap.window.end)}"
        rows.append(
            f"({texts}, {missing}, {literal(window.end)}, {literal(dag_id)}, {literal(run_id)}, current_timestamp())"
        )
    if rows:
        migrate(warehouse, labels)
        warehouse.query(
            f"insert into `{warehouse.project}.ops.stale_clients` (source, stream, client_id, axis, missing_from, "
            f"missing_until, build_until, dag_id, run_id, marked_at) values {', '.join(rows)}",
            labels,
        )
