"""Ledger rows of builds; those of loads are written by the load transaction itself."""

from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
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
