"""The few calls of Airflow's REST API that the demo and backfills need."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests

from local.environment import AIRFLOW_USER
from local.errors import LocalStackError

DONE_TASKS = ("success", "skipped", "failed", "upstream_failed", "removed")


@dataclass(frozen=True)
class RunState:
    """The progress of a DAG run.

    `failed` names its failed tasks once it has failed, `seconds` is what it took once it has ended.
    """

    state: str
    tasks_done: int
    tasks: int
    failed: tuple[str, ...] = ()
    seconds: float | None = None

    @property
    def ended(self) -> bool:
        return self.state in ("success", "failed")


class AirflowApi:
    """A signed-in client. Raises LocalStackError when Airflow doesn't answer or refuses."""

    def __init__(self, url: str, password: str, user: str = AIRFLOW_USER) -> None:
        self._url = self.url = url.rstrip("/")
        self._user = user
        self._password = password
        self._session = requests.Session()
        self._sign_in()

    def wait_for_dags(self, dag_ids: tuple[str, ...], seconds: float) -> None:
        """Wait until Airflow has read the DAGs. Raises LocalStackError with the import errors when it can't."""
        deadline = time.monotonic() + seconds
        while True:
            known = {dag["dag_id"] for dag in self._get("/api/v2/dags", limit=100)["dags"]}
            missing = [dag_id for dag_id in dag_ids if dag_id not in known]
            if not missing:
                return
            problems = self._get("/api/v2/importErrors", limit=10)["import_errors"]
            if problems:
                text = "\n\n".join(f"{problem['filename']}:\n{problem['stack_trace']}" for problem in problems)
                raise LocalStackError(f"Airflow could not read the DAGs.\n\n{text}")
            if time.monotonic() > deadline:
                raise LocalStackError(f"Airflow has not found {', '.join(missing)} after {seconds:.0f} s.")
            time.sleep(0.5)

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs start, should somebody have paused it."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """State of the run, None when there is no such run."""
        run = self._run(dag_id, run_id)
        return str(run["state"]) if run else None

    def trigger(self, dag_id: str, run_id: str, *, logical_date: str | None, conf: dict[str, Any]) -> None:
        """Create the run."""
        body = {"dag_run_id": run_id, "logical_date": logical_date, "conf": conf}
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)

    def clear_failed(self, dag_id: str, run_id: str) -> None:
        """Run the run's failed tasks, and what waits for them, once more."""
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/clear", {"dry_run": False, "only_failed": True})

    def backfill_dates(self, **body: Any) -> list[str]:
        """The logical dates for which this backfill would start a run."""
        return [each["logical_date"] for each in self._call("POST", "/api/v2/backfills/dry_run", body)["backfills"]]

    def create_backfill(self, **body: Any) -> bool:
        """Create the backfill; False where the DAG has another one that is not finished."""
        return self._call("POST", "/api/v2/backfills", body, none_on=409) is not None

    def active_backfill(self, dag_id: str) -> dict[str, Any] | None:
        """The backfill of the DAG that is not finished; Airflow allows one at a time."""
        found = self._get("/api/v2/backfills", dag_id=dag_id, limit=100, order_by="-id")["backfills"]
        return next((backfill for backfill in found if backfill["completed_at"] is None), None)

    def states_by_day(self, dag_id: str, first: date, last: date) -> dict[date, str]:
        """State of the run of each day's interval, as far as there is one."""
        states: dict[date, str] = {}
        limits = {"logical_date_gte": f"{first}T00:00:00Z", "logical_date_lte": f"{last}T00:00:00Z"}
        for run in self._get(f"/api/v2/dags/{dag_id}/dagRuns", limit=100, **limits)["dag_runs"]:
            moment = run["logical_date"]
            if moment[11:19] == "00:00:00":
                states[date.fromisoformat(moment[:10])] = run["state"]
        return states

    def progress(self, dag_id: str, run_id: str) -> RunState:
        """State and tasks of the run."""
        run = self._run(dag_id, run_id) or {"state": "missing"}
        state = str(run["state"])
        tasks = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        total = self._get(tasks, limit=1)["total_entries"]
        done = self._get(tasks, limit=1, state=list(DONE_TASKS))["total_entries"]
        failed: tuple[str, ...] = ()
        if state == "failed":
            answer = self._get(tasks, limit=20, state=["failed"])
            failed = tuple(sorted({task["task_id"] for task in answer["task_instances"]}))
        return RunState(state, done, total, failed, run.get("duration"))

    def _run(self, dag_id: str, run_id: str) -> Any:
        return self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", none_on=404)

    def _sign_in(self) -> None:
        answer = self._send("POST", "/auth/token", {"username": self._user, "password": self._password}, {})
        if answer.status_code not in (200, 201):
            raise LocalStackError(f"Airflow refused the login of {self._user}: {answer.status_code} {answer.text}")
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, query=query)

    def _call(
        self, method: str, path: str, body: Any = None, *, query: dict[str, Any] | None = None, none_on: int = 0
    ) -> Any:
        answer = self._send(method, path, body, query or {})
        if answer.status_code == 401:
            # The token has a lifetime that a demo left open over night outlives.
            self._sign_in()
            answer = self._send(method, path, body, query or {})
        if answer.status_code == none_on:
            return None
        if not answer.ok:
            raise LocalStackError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json()

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any]) -> requests.Response:
        try:
            return self._session.request(method, self._url + path, json=body, params=query, timeout=60)
        except requests.RequestException as problem:
            raise LocalStackError(f"Airflow does not answer at {self._url}: {problem}") from None
