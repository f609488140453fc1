"""Marks what optional clients lack in a build."""

from collections.abc import Iterable

from tributary.ledger.coverage import Gap
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.tables import migrate
from tributary.windows import Window


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
