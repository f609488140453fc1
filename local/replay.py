"""Replays through Airflow's REST API: what was rejected is read again from the lake, without the source's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from local.backfill import watch
from local.demo.airflow_api import AirflowApi


def replay(api: AirflowApi, dag_id: str, choice: dict[str, Any], console: Console) -> bool:
    """Start a replay and wait for it; whether all of it succeeded. `choice` is of the trigger form: streams, window."""
    run_id = f"replay__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    api.unpause(dag_id)
    api.trigger(dag_id, run_id, logical_date=None, conf={"replay": True, **choice})
    console.print(f"  {run_id}: lanes without open rejects are skipped", markup=False)
    return watch(api, dag_id, run_id, console)
