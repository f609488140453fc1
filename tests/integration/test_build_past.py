"""A build that would take the marts back to an earlier moment: refused before anything is built, or asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.pipeline import Pipeline, query, warehouse
from tributary.builds.record import BEGUN, DONE, builds
from tributary.operators.builds.plan_build import PlanBuildOperator
from tributary.operators.builds.record_build import RecordBuildOperator
from tributary.warehouse.tables import ensure_tables

pytestmark = pytest.mark.emulators

NAME = "past_or_present"
FORM = {"window_start": None, "window_end": None, "known_at": None, "full_refresh": False, "into_the_past": False}


@pytest.fixture(autouse=True)
def ledger(services: dict[str, str]) -> Iterator[None]:
    ensure_tables(warehouse(), Pipeline("stripe", "products").contract, {})
    yield
    query(f"delete from ops.ledger where stream = '{NAME}'")


def context(day: int, run_id: str, month: int = 1, **form: Any) -> dict[str, Any]:
    """The run about the day before, scheduled for it; `form` is what the trigger form says."""
    end = datetime(2026, month, day, tzinfo=UTC)
    dag_run = SimpleNamespace(
        data_interval_start=end.replace(hour=0), data_interval_end=end, run_after=end, start_date=end
    )
    ti = SimpleNamespace(
        dag_id="build_warehouse", run_id=run_id, task_id="plan_build", map_index=-1, max_tries=3, xcom_pull=None
    )
    start = datetime(2026, month, day - 1, tzinfo=UTC)
    window = {"window_start": start.isoformat(), "window_end": end.isoformat()}
    return {"params": {**FORM, **window, **form}, "dag_run": dag_run, "ti": ti}


def plan(tmp_path: Path, given: dict[str, Any]) -> dict[str, str]:
    (tmp_path / "dbt_project.yml").write_text("name: x")
    (tmp_path / "profiles.yml").write_text("x: {}")
    found: dict[str, str] = PlanBuildOperator(task_id="plan_build", build=NAME, project=tmp_path).execute(given)
    return found


def end(given: dict[str, Any], planned: dict[str, str]) -> None:
    given["ti"].xcom_pull = lambda task_ids: planned
    given["ti"].task_id = "record_build"
    RecordBuildOperator(task_id="record_build", build=NAME, planned="plan_build").execute(given)


def test_a_cleared_run_of_last_week_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    today = context(14, "scheduled__14")
    end(today, plan(tmp_path, today))
    with pytest.raises(AirflowFailException) as caught:
        plan(tmp_path, context(7, "scheduled__07"))
    told = str(caught.value)
    assert "the marts are of 2026-01-14T00:00:00Z" in told
    assert "would take them back to 2026-01-07T00:00:00Z" in told
    assert "nothing was built" in told
    assert '"into_the_past": true' in told
    assert [(b.as_of.day, b.done) for b in builds(warehouse(), NAME, {})] == [(14, False), (14, True)]
    plan(tmp_path, context(15, "scheduled__15"))


def test_a_build_that_only_began_may_not_be_taken_back_either(tmp_path: Path) -> None:
    plan(tmp_path, context(14, "scheduled__14"))
    with pytest.raises(AirflowFailException, match="would take them back"):
        plan(tmp_path, context(13, "scheduled__13"))


def test_what_is_asked_for_is_built_and_the_present_comes_back(tmp_path: Path) -> None:
    today = context(14, "scheduled__14")
    end(today, plan(tmp_path, today))
    summer = plan(tmp_path, context(3, "manual__summer", into_the_past=True))
    assert summer["as_of"] == "2026-01-03T00:00:00Z"
    with pytest.raises(AirflowFailException, match=r"the marts are of 2026-01-14"):
        plan(tmp_path, context(4, "scheduled__04"))
    tonight = plan(tmp_path, context(15, "scheduled__15"))
    assert tonight["touched"] == "", "everything is built anew"


def test_the_same_day_again_is_no_step_back_unless_less_is_to_be_known(tmp_path: Path) -> None:
    today = context(14, "scheduled__14")
    end(today, plan(tmp_path, today))
    plan(tmp_path, context(14, "manual__again"))
    with pytest.raises(AirflowFailException, match="as known at 2026-01-15T05:00:00Z"):
        plan(tmp_path, context(14, "manual__then", known_at="2026-01-15T05:00:00Z"))
    plan(tmp_path, context(14, "manual__meant", known_at="2026-01-15T05:00:00Z", into_the_past=True))
    kinds = query(f"select kind, count(*) as n from ops.ledger where stream = '{NAME}' group by 1 order by 1")
    assert {row["kind"]: row["n"] for row in kinds} == {BEGUN: 3, DONE: 1}
