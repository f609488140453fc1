"""Lists the DAG runs of the demo, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INGEST = ("ingest_stripe", "ingest_hubspot")
BUILD = "build_warehouse"
DAGS = (*INGEST, BUILD)


@dataclass(frozen=True)
class Step:
    """One window, loaded by both ingest DAGs and built by the warehouse DAG, which waits for them by itself."""

    name: str
    title: str
    clock: str
    run_id: str
    logical_date: str | None = None
    conf: dict[str, Any] = field(default_factory=dict)


STEPS = (
    Step(
        name="history",
        title="history, 2024-07-01 to 2026-01-03",
        clock="2026-01-04T06:00:00Z",
        run_id="demo__history",
        conf={"window_start": "2024-07-01T00:00:00Z", "window_end": "2026-01-04T00:00:00Z"},
    ),
    # Triggered at six in the morning, a run is about the day before: these are the runs of the 4th and of the 5th.
    Step(
        name="2026-01-04",
        title="the day 2026-01-04",
        clock="2026-01-05T06:00:00Z",
        run_id="demo__2026-01-04",
        logical_date="2026-01-05T06:00:00Z",
    ),
    Step(
        name="2026-01-05",
        title="the day 2026-01-05",
        clock="2026-01-06T06:00:00Z",
        run_id="demo__2026-01-05",
        logical_date="2026-01-06T06:00:00Z",
    ),
)
