"""A real Airflow, as its users reach it: REST API and command line."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from local.demo.airflow_api import AirflowApi
from tests.conftest import ROOT

ENDED = ("success", "failed")


class Airflow(AirflowApi):
    """The REST API of a running Airflow, and the command line beside it."""

    def __init__(self, environment: dict[str, str], password: str) -> None:
        super().__init__(environment["AIRFLOW__API__BASE_URL"], password)
        self.password = password
        self.environment = environment

    def cli(self, *arguments: str) -> str:
        """Run `airflow …` in a process of its own; returns what it printed."""
        return airflow_cli(self.environment, *arguments)

    def run_without_scheduler(self, dag_id: str, date: str, **conf: Any) -> None:
        """`airflow dags test`, with the DAG paused: a scheduler on the same database takes the run's tasks too."""
        self.pause(dag_id)
        try:
            self.cli("dags", "test", dag_id, date, "--conf", json.dumps(conf))
        finally:
            self.unpause(dag_id)

    def start(self, dag_id: str, run_id: str, logical_date: str | None = None, **conf: Any) -> None:
        self.trigger(dag_id, run_id, logical_date=logical_date, conf=conf)

    def start_interval(self, dag_id: str, run_id: str, start: str, end: str, **conf: Any) -> None:
        """A run with the data interval of the schedule; its logical date is a second later, since it must be unique."""
        interval = {"data_interval_start": start, "data_interval_end": end}
        body = {"dag_run_id": run_id, "logical_date": start.replace(":00Z", ":01Z"), "conf": conf, **interval}
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)

    def pause(self, dag_id: str) -> None:
        """Start no further tasks of the DAG's runs, until `unpause`."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": True})

    def wait(self, dag_id: str, run_id: str, seconds: float = 300, expect: str = "success") -> None:
        """Wait until the run has ended as expected; says which tasks failed if not."""
        deadline = time.monotonic() + seconds
        while (state := self.run_state(dag_id, run_id)) not in ENDED:
            assert time.monotonic() < deadline, (
                f"{dag_id} {run_id} is {state} after {seconds} s: {self.tasks(dag_id, run_id)}"
            )
            time.sleep(0.5)
        assert state == expect, f"{dag_id} {run_id} ended as {state}: {self.tasks(dag_id, run_id)}"

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        answer: dict[str, Any] = self._get(f"/api/v2/dags/{dag_id}/dagRuns", limit=100)
        return list(answer["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """State by task id (the last instance of a mapped task)."""
        return {task["task_id"]: task["state"] for task in self.instances(dag_id, run_id)}

    def instances(self, dag_id: str, run_id: str, task_id: str | None = None) -> list[dict[str, Any]]:
        """Of one task, or of all."""
        path, total = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", 1
        found: list[dict[str, Any]] = []
        # Airflow answers with a hundred at most, whatever the limit is.
        while len(found) < total:
            answer = self._get(path, limit=100, offset=len(found))
            found, total = [*found, *answer["task_instances"]], answer["total_entries"]
        return [task for task in found if task_id in (None, task["task_id"])]

    def log(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1, attempt: int = 1) -> str:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        return str(self._get(path, map_index=map_index, full_content=True))

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What the task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._get(path, deserialize=True)["value"]

    def clear(self, dag_id: str, run_id: str, task_ids: list[str]) -> None:
        """Clear tasks with everything behind them, as the UI's button does."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": task_ids,
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self._call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)


def airflow_cli(environment: dict[str, str], *arguments: str, fails: bool = False) -> str:
    """Run `airflow …` in a process of its own, beside this process's variables; returns what it printed."""
    command = [sys.executable, "-m", "airflow", *arguments]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300)
    assert (done.returncode != 0) == fails, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr
