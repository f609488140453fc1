"""The demo's decisions, with Airflow and the warehouse played by the test."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from rich.console import Console

from local import stack
from local.airflow import home
from local.demo import results
from local.demo import run as demo_run
from local.demo.airflow_api import RunState
from local.demo.plan import BUILD, DAGS, INGEST, STEPS
from local.errors import LocalStackError
from local.settings import LocalSettings

LEDGER = {
    "source": "stripe",
    "stream": "invoices",
    "client_id": "acme",
    "loads": 2,
    "received": 10,
    "loaded": 6,
    "unchanged": 1,
    "superseded": 1,
    "duplicate": 1,
    "rejected": 1,
    "tombstoned": 2,
    "unbalanced_loads": 0,
}
METRICS = {
    "currency": "usd",
    "mrr": Decimal("1234.5"),
    "arr": Decimal(14814),
    "customers": 7,
    "nrr": Decimal("0.975"),
    "clv": None,
}
CUSTOMER = {
    "currency": "eur",
    "customers": 7,
    "person_key": "p1",
    "email": "ada@example.com",
    "plan": "Team",
    "crm_status": "churned",
    "revenue_collected": Decimal("1234.50"),
    "months_active": 12,
    "first_payment_at": datetime(2024, 8, 1, tzinfo=UTC),
    "last_payment_at": None,
    "is_churned_in_crm_but_active": True,
}


class FakeAirflow:
    """Every run that is triggered or cleared ends with the state that the test chose (success unless it says so)."""

    outcome: dict[tuple[str, str], str]
    states: dict[tuple[str, str], str]
    calls: list[str]

    def __init__(self, *_: Any) -> None:
        pass

    def wait_for_dags(self, dag_ids: tuple[str, ...], seconds: float) -> None:
        pass

    def unpause(self, dag_id: str) -> None:
        pass

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        return self.states.get((dag_id, run_id))

    def trigger(self, dag_id: str, run_id: str, *, logical_date: str | None, conf: dict[str, Any]) -> None:
        self.calls.append(f"trigger {dag_id} {run_id} {logical_date} {sorted(conf)}")
        self.states[dag_id, run_id] = self.outcome.get((dag_id, run_id), "success")

    def clear_failed(self, dag_id: str, run_id: str) -> None:
        self.calls.append(f"clear {dag_id} {run_id}")
        self.states[dag_id, run_id] = "success"

    def progress(self, dag_id: str, run_id: str) -> RunState:
        state = self.states[dag_id, run_id]
        return RunState(state, 3, 3, ("extract",) if state == "failed" else ())


class Stage:
    """The demo with its surroundings."""

    def __init__(self, base: Path) -> None:
        self.settings = LocalSettings(home=base)
        self.out = io.StringIO()
        self.clocks: list[str] = []
        self.ledger: list[dict[str, Any]] = [LEDGER]

    def run(self) -> bool:
        return demo_run.Demo(self.settings, Console(file=self.out, width=200), 12.0).run()

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.settings.demo_report.read_text()))

    def query(self, sql: str) -> list[dict[str, Any]]:
        if "ops.ledger" in sql and "group by" in sql:
            return self.ledger
        if "INFORMATION_SCHEMA" in sql:
            return [{"table_name": "t"}]
        if "customer_lifetime_value" in sql:
            return [CUSTOMER]
        if "metrics_mrr" in sql:
            return [METRICS]
        return [{"name": f"{dataset}.t", "number": 5} for dataset in results.COUNTED]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(tmp_path)

    def put(url: str, json: dict[str, str], timeout: float) -> Any:
        stage.clocks.append(json["now"])

        class Answer:
            def raise_for_status(self) -> None:
                pass

        return Answer()

    home.prepare(stage.settings.airflow_home)
    FakeAirflow.outcome, FakeAirflow.states, FakeAirflow.calls = {}, {}, []
    monkeypatch.setattr(stack, "up", lambda settings, report: {})
    monkeypatch.setattr(demo_run, "AirflowApi", FakeAirflow)
    monkeypatch.setattr(requests, "put", put)
    monkeypatch.setattr(results, "querying", lambda variables: stage.query)
    monkeypatch.setattr(demo_run, "POLL_SECONDS", 0)
    return stage


def test_runs_history_then_two_days_and_reports(stage: Stage) -> None:
    assert stage.run()
    assert FakeAirflow.calls == [
        *(f"trigger {dag} demo__history None ['window_end', 'window_start']" for dag in DAGS),
        *(f"trigger {dag} {step.run_id} {step.logical_date} []" for step in STEPS[1:] for dag in DAGS),
    ]
    assert stage.clocks == [*(step.clock for step in STEPS), STEPS[-1].clock]
    report = stage.report
    assert report["succeeded"] is True
    assert [(run["dag_id"], run["state"]) for run in report["runs"]] == [
        (dag, "success") for _ in STEPS for dag in DAGS
    ]
    assert report["rows"] == {f"{dataset}.t": 5 for dataset in results.COUNTED}
    assert report["reconciliation"][0]["holds"] is True
    assert set(report["seconds"]) == {"setup", "services", *(step.name for step in STEPS), "results", "total"}
    assert report["seconds"]["setup"] == 12.0
    shown = stage.out.getvalue()
    assert "1,234.50" in shown and "97.5%" in shown
    for text in ("ada@example.com", "1,234.50", "holds", "password", stage.settings.airflow_url, "make down"):
        assert text in shown


def test_between_two_counts_of_the_tasks_only_the_states_are_asked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting is most of what a look costs the API server; a run that has ended is shown at once all the same."""
    counted: list[str] = []
    looks = dict.fromkeys(DAGS, 0)

    class Slow(FakeAirflow):
        def run_state(self, dag_id: str, run_id: str) -> str | None:
            if self.states.get((dag_id, run_id)) == "success" and run_id == "demo__history":
                looks[dag_id] += 1
                return "running" if looks[dag_id] < 12 else "success"
            return super().run_state(dag_id, run_id)

        def progress(self, dag_id: str, run_id: str) -> RunState:
            counted.append(f"{dag_id} {run_id}")
            if run_id == "demo__history" and looks[dag_id] < 12:
                looks[dag_id] += 1
                return RunState("running", 1, 3)
            return super().progress(dag_id, run_id)

    monkeypatch.setattr(demo_run, "AirflowApi", Slow)
    assert stage.run()
    for dag in DAGS:
        # of thirteen looks the first, the sixth, the eleventh, and the one that saw the end
        assert counted.count(f"{dag} demo__history") == 4


def test_a_second_demo_runs_nothing_and_says_so(stage: Stage) -> None:
    assert stage.run()
    FakeAirflow.calls.clear()
    stage.clocks.clear()
    assert stage.run()
    assert FakeAirflow.calls == []
    assert stage.clocks == [STEPS[-1].clock], "the world's time was not turned back"
    assert "left as it is" in stage.out.getvalue()
    assert all(run["from_an_earlier_demo"] for run in stage.report["runs"])


def test_stops_at_the_first_step_that_fails_and_goes_on_there(stage: Stage) -> None:
    FakeAirflow.outcome[INGEST[0], "demo__2026-01-04"] = "failed"
    FakeAirflow.outcome[BUILD, "demo__2026-01-04"] = "running"
    assert not stage.run()
    assert not any(STEPS[2].run_id in call for call in FakeAirflow.calls), "the next day was not begun"
    assert stage.report["succeeded"] is False
    assert {run["dag_id"]: run["failed_tasks"] for run in stage.report["runs"][3:]}[INGEST[0]] == ["extract"]
    assert "extract" in stage.out.getvalue()
    FakeAirflow.calls.clear()
    FakeAirflow.states[BUILD, "demo__2026-01-04"] = "success"
    assert stage.run()
    assert FakeAirflow.calls[0] == f"clear {INGEST[0]} demo__2026-01-04"


@pytest.mark.parametrize("spoiled", [{"received": 11}, {"unbalanced_loads": 1}])
def test_a_count_that_does_not_reconcile_fails_the_demo(stage: Stage, spoiled: dict[str, int]) -> None:
    stage.ledger = [{**LEDGER, **spoiled}]
    assert not stage.run()
    assert stage.report["reconciliation"][0]["holds"] is False
    assert "does not hold" in stage.out.getvalue()


def test_an_empty_ledger_reconciles_nothing(stage: Stage) -> None:
    stage.ledger = []
    assert not stage.run()


def test_an_error_on_the_way_is_in_the_report(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LocalStackError("port 9050 is taken")

    monkeypatch.setattr(stack, "up", fail)
    with pytest.raises(LocalStackError):
        stage.run()
    assert stage.report["succeeded"] is False
    assert stage.report["error"] == "port 9050 is taken"
