"""The demo itself."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import asdict
from typing import Any

import requests
from rich.console import Console

from local import stack
from local.airflow import home
from local.demo import results
from local.demo.airflow_api import AirflowApi, RunState
from local.demo.plan import DAGS, STEPS, Step
from local.demo.screen import Screen
from local.environment import AIRFLOW_USER
from local.errors import LocalStackError
from local.settings import LocalSettings

POLL_SECONDS = 1.0
TASKS_EVERY = 5
"""Looks from one count of a run's tasks to the next: counting them costs the API server most of a look."""
DAG_SECONDS = 120.0


class Demo:
    """One `make demo`. `report` is what becomes `.local/demo.json`."""

    def __init__(self, settings: LocalSettings, console: Console, setup_seconds: float) -> None:
        self.settings = settings
        self.screen = Screen(console)
        self.phases: dict[str, float] = {"setup": round(setup_seconds, 1)}
        self.runs: list[dict[str, Any]] = []
        self.report: dict[str, Any] = {}

    def run(self) -> bool:
        """Everything. Returns whether all runs succeeded and all counts reconciled."""
        begun = time.monotonic()
        try:
            variables = self._start_services()
            airflow = AirflowApi(self.settings.airflow_url, home.password(self.settings.airflow_home))
            airflow.wait_for_dags(DAGS, DAG_SECONDS)
            for dag in DAGS:
                airflow.unpause(dag)
            succeeded = self._run_steps(airflow)
            reconciled = self._show_results(results.querying(variables))
        except LocalStackError as problem:
            self._write(succeeded=False, begun=begun, error=str(problem))
            raise
        self._write(succeeded=succeeded and reconciled, begun=begun)
        self._farewell()
        return succeeded and reconciled

    def _start_services(self) -> dict[str, str]:
        self.screen.heading("Services")
        begun = time.monotonic()

        def say(service: Any, what: str, seconds: float) -> None:
            if what == "ready":
                self.screen.say(f"{service.title}: ready after {seconds:.0f} s")

        variables = stack.up(self.settings, report=say)
        self.phases["services"] = _since(begun)
        return variables

    def _run_steps(self, airflow: AirflowApi) -> bool:
        """All steps in order; the first that fails is the last. The world's clock ends at the last step's."""
        for step in STEPS:
            begun = time.monotonic()
            states = {dag: airflow.run_state(dag, step.run_id) for dag in DAGS}
            if all(state == "success" for state in states.values()):
                self.screen.heading(f"Load {step.title}: done before, left as it is")
                for dag in DAGS:
                    self._note(step, dag, airflow.progress(dag, step.run_id), earlier=True)
            else:
                self.screen.heading(f"Load {step.title}")
                self._set_clock(step.clock)
                if not self._run_step(airflow, step, states):
                    return False
            self.phases[step.name] = _since(begun)
        # The simulators may have been started anew since.
        self._set_clock(STEPS[-1].clock)
        return True

    def _run_step(self, airflow: AirflowApi, step: Step, before: dict[str, str | None]) -> bool:
        for dag, state in before.items():
            if state is None:
                airflow.trigger(dag, step.run_id, logical_date=step.logical_date, conf=step.conf)
            elif state == "failed":
                airflow.clear_failed(dag, step.run_id)
        with self.screen.runs():
            outcome = self._follow(airflow, step)
        for dag, (run, seconds) in outcome.items():
            self.screen.ended(dag, run, seconds)
            self._note(step, dag, run, earlier=False)
        return all(run.state == "success" for run, _ in outcome.values())

    def _follow(self, airflow: AirflowApi, step: Step) -> dict[str, tuple[RunState, float]]:
        """Show the runs' progress until all have ended, or one has failed: what waits for it would wait for hours."""
        begun = time.monotonic()
        states: dict[str, tuple[RunState, float]] = {}
        for look in itertools.count():
            for dag in DAGS:
                known = states[dag][0] if dag in states else None
                if known and known.ended:
                    continue
                if known is None or look % TASKS_EVERY == 0 or airflow.run_state(dag, step.run_id) != known.state:
                    known = airflow.progress(dag, step.run_id)
                states[dag] = (known, time.monotonic() - begun)
            self.screen.show(states)
            if all(run.ended for run, _ in states.values()) or any(run.state == "failed" for run, _ in states.values()):
                break
            time.sleep(POLL_SECONDS)
        return states

    def _note(self, step: Step, dag: str, run: RunState, *, earlier: bool) -> None:
        self.runs.append(
            {
                "step": step.name,
                "dag_id": dag,
                "run_id": step.run_id,
                "state": run.state,
                "seconds": run.seconds,
                "tasks": run.tasks,
                "failed_tasks": list(run.failed),
                "from_an_earlier_demo": earlier,
            }
        )

    def _set_clock(self, now: str) -> None:
        try:
            requests.put(f"{self.settings.stripe_url}/_sim/clock", json={"now": now}, timeout=60).raise_for_status()
        except requests.RequestException as problem:
            raise LocalStackError(f"The simulators did not take the clock {now}: {problem}") from None

    def _show_results(self, query: results.Query) -> bool:
        begun = time.monotonic()
        if any(run["state"] != "success" for run in self.runs):
            return False
        self.screen.console.print()
        self.screen.customers(results.best_customers(query, per_currency=5))
        self.screen.console.print()
        self.screen.metrics(results.metrics(query))
        balances = results.balances(query)
        self.screen.console.print()
        self.screen.balances(balances)
        self.report["rows"] = results.row_counts(query)
        self.report["reconciliation"] = [{**asdict(balance), "holds": balance.holds} for balance in balances]
        self.phases["results"] = _since(begun)
        return bool(balances) and all(balance.holds for balance in balances)

    def _write(self, *, succeeded: bool, begun: float, error: str | None = None) -> None:
        self.phases["total"] = round(self.phases["setup"] + time.monotonic() - begun, 1)
        self.report = {
            "succeeded": succeeded,
            "error": error,
            "seconds": self.phases,
            "runs": self.runs,
            "rows": self.report.get("rows", {}),
            "reconciliation": self.report.get("reconciliation", []),
        }
        self.settings.demo_report.parent.mkdir(parents=True, exist_ok=True)
        self.settings.demo_report.write_text(json.dumps(self.report, indent=1) + "\n")

    def _farewell(self) -> None:
        say = self.screen.console.print
        say()
        say("Seconds: " + ", ".join(f"{phase} {seconds:.0f}" for phase, seconds in self.phases.items()))
        say(f"Report: {self.settings.demo_report}")
        login = f"user {AIRFLOW_USER}, password {home.password(self.settings.airflow_home)}"
        say(f"Airflow: [link={self.settings.airflow_url}]{self.settings.airflow_url}[/link]  {login}")
        say('The services stay up. Look around with `make query SQL="select …"`, stop them with `make down`.')


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 1)
