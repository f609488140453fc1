"""The whole pipeline in a real Airflow, each way of running it, checked against the simulator's books.

The tests of this module build on each other, as the days of a pipeline do, and run in their order.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.docs.following import follow
from tests.docs.runbooks import FOLDER, blocks, sections
from tests.oracle import Books, Load, compare_clv, compare_raw, expected_clv, expected_people, expected_raw
from tests.oracle.raw import Source
from tests.support.airflow import Airflow
from tests.support.pipeline import content, query, warehouse
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.emulators, pytest.mark.timeout(900)]

INGEST = ("ingest_stripe", "ingest_hubspot")
SOURCES: tuple[Source, ...] = ("stripe", "hubspot")
SINCE = datetime(2024, 7, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def after(number: int) -> datetime:
    """When a day's runs read the sources: as soon as HubSpot's index surely knows the day."""
    return day(number) + timedelta(minutes=10)


def tables() -> list[str]:
    from tributary.contracts.loader import load_all

    return [table.name for streams in load_all().values() for contract in streams.values() for table in contract.tables]


def contents() -> dict[str, list[dict[str, Any]]]:
    return {table: content(f"raw.{table}") for table in tables()}


def assert_raw_equals_the_books(company: World, loads: list[Load]) -> dict[str, Any]:
    """Every raw table, record by record."""
    expected = expected_raw(Books.of(company.stripe), loads)
    assert set(expected) == set(tables())
    problems = [
        problem
        for table in tables()
        for problem in compare_raw(table, expected[table], query(f"select * from raw.{table}"))
    ]
    assert problems == []
    # Too rare for a world of this size; the integration tests of both sources have some.
    rare = {"stripe_subscription_discounts", "hubspot_deal_merges", "hubspot_company_merges"}
    assert {table for table, rows in expected.items() if not rows} <= rare
    return expected


def settled(airflow: Airflow, run_id: str) -> dict[str, str]:
    """Wait until no task of the build runs or is about to; returns the states."""
    deadline = time.monotonic() + 600
    ended = {"success", "failed", "upstream_failed", "up_for_retry"}
    while not set((states := airflow.tasks("build_warehouse", run_id)).values()) <= ended:
        assert time.monotonic() < deadline, states
        time.sleep(0.5)
    return states


def runbook(page: str, section: str, airflow: Airflow, language: str = "") -> None:
    """Do what the section says, or only its blocks of one language, with the run of this module in place of its own."""
    for block in blocks(sections(FOLDER / f"{page}.md")[section]):
        if language in ("", block.language):
            follow(block, block.text.replace("practise_model", "day5"), f"{page}, {section}", airflow)


def assert_said_by_the_triggerer(airflow: Airflow, models: list[str]) -> None:
    """These tasks of the build are green without a worker's process, and their logs say why."""
    instances = {task["task_id"]: task for task in airflow.instances("build_warehouse", "day5")}
    assert len(models) > 80
    assert [model for model in models if instances[model]["pid"] is not None] == []
    for model in models[:: len(models) // 5]:
        said = airflow.log("build_warehouse", "day5", model)
        assert f"{model.partition('.')[2]} is built and its tests passed" in said, model


def loads_until(*days: tuple[int, int]) -> list[Load]:
    """The history, then each (day, day of the world's clock) as a daily load, widened by a look-back of one day."""
    loads = [Load(source, "created", SINCE, day(4), after(4)) for source in SOURCES]
    for number, clock in days:
        loads += [Load(source, "changed", day(number - 1), day(number + 1), after(clock)) for source in SOURCES]
    return loads


def test_history_through_the_rest_api(airflow: Airflow, company: World) -> None:
    """A trigger without a logical date, the window in its Params."""
    company.clock("2026-01-04T00:10:00Z")
    for dag_id in INGEST:
        airflow.start(dag_id, "history", window_start="2024-07-01", window_end="2026-01-04")
    for dag_id in INGEST:
        airflow.wait(dag_id, "history")
    assert_raw_equals_the_books(company, loads_until())


def test_a_build_waits_for_what_the_ledger_lacks_and_says_what(airflow: Airflow, company: World) -> None:
    airflow.start("build_warehouse", "day5", logical_date="2026-01-06T00:00:00Z")
    for _ in range(120):
        state = airflow.tasks("build_warehouse", "day5").get("wait_for_sources")
        if state == "deferred":
            break
        time.sleep(0.5)
    assert state == "deferred"
    log = airflow.log("build_warehouse", "day5", "wait_for_sources")
    assert "stripe.invoices of client acme on the changed axis for [2026-01-05T00:00:00Z, 2026-01-06T00:00:00Z)" in log
    airflow.pause("build_warehouse")  # it goes on by itself when the test after next lets it


def test_days_by_backfill(airflow: Airflow, company: World) -> None:
    """`airflow backfill create` over two days, both runs with the world at the later day."""
    company.clock("2026-01-06T00:10:00Z")
    for dag_id in INGEST:
        airflow.cli(
            "backfill",
            "create",
            "--dag-id",
            dag_id,
            "--from-date",
            "2026-01-04",
            "--to-date",
            "2026-01-05",
            "--max-active-runs",
            "1",
        )
    for dag_id in INGEST:
        runs = [run["dag_run_id"] for run in airflow.runs(dag_id) if run["run_type"] == "backfill"]
        assert len(runs) == 2
        for run_id in runs:
            airflow.wait(dag_id, run_id)
    assert_raw_equals_the_books(company, loads_until((4, 6), (5, 6)))


def test_what_fails_in_a_build_stops_what_depends_on_it_and_nothing_else(airflow: Airflow) -> None:
    """A deal that is there twice (by the runbook), a table that is missing; mended and cleared, the rest goes on."""
    from tributary.contracts.loader import load_contracts
    from tributary.warehouse.tables import ensure_tables

    runbook("model-failed", "Practise", airflow, "sql")
    query("create table raw.kept as select * from raw.hubspot_deal_merges; drop table raw.hubspot_deal_merges;")
    airflow.unpause("build_warehouse")
    test, model = "staging.stg_hubspot__deals", "staging.stg_hubspot__deal_merges"
    states = settled(airflow, "day5")
    others = {task: state for task, state in states.items() if state != "success"}
    stopped = ("mart.deals", "mart.funnel", "metrics", "record_build")
    assert others == {test: "failed", model: "up_for_retry", **dict.fromkeys(stopped, "upstream_failed")}
    said = airflow.log("build_warehouse", "day5", test)
    assert "primary_key_stg_hubspot__deals_client_id__deal_id found 1 rows, which are in dq." in said
    assert airflow.instances("build_warehouse", "day5", test)[0]["try_number"] == 1, "retried in vain"
    assert_said_by_the_triggerer(airflow, [task for task in states if "." in task and task not in others])
    listed = warehouse().client.list_jobs(max_results=100_000, retry=None)
    jobs = [job.query for job in listed if job.job_type == "query"]
    assert [sql for sql in jobs if '"node_id": "model.tributary.invoices"' in sql]
    assert not [sql for sql in jobs if "where false and current_timestamp()" in sql], "CI has compared model contracts"
    marts = {task.removeprefix("mart.") for task in states if task.startswith("mart.")}
    written = {row["table_name"] for row in query("select table_name from mart.INFORMATION_SCHEMA.TABLES")}
    assert marts - written == {"deals", "funnel"}

    runbook("model-failed", "Confirm", airflow)
    ensure_tables(warehouse(), load_contracts("hubspot")["deals"], {})
    query("insert into raw.hubspot_deal_merges select * from raw.kept; drop table raw.kept;")
    before = airflow.instances("build_warehouse", "day5", "build_all")
    runbook("model-failed", "Do", airflow)
    airflow.wait("build_warehouse", "day5")
    runbook("model-failed", "Fixed when", airflow)
    assert airflow.instances("build_warehouse", "day5", "build_all") == before, "only what was cleared is built"


def test_the_mart_equals_the_books(airflow: Airflow, company: World) -> None:
    raw = expected_raw(Books.of(company.stripe), loads_until((4, 6), (5, 6)))
    expected = expected_clv(raw, day(6))
    assert compare_clv(expected, query("select * from mart.customer_lifetime_value")) == []
    people = expected_people(raw, day(6))
    assert people and min(people.values()) > 0, f"a kind of person is missing from the world: {people}"
    [build] = query("select stream, window_end from ops.ledger where kind = 'build'")
    assert (build["stream"], build["window_end"]) == ("warehouse", day(6))


def test_a_model_that_is_cleared_is_built_again_with_what_the_build_knew(airflow: Airflow) -> None:
    """Also one that was green: its task does not report the build of before."""
    build = airflow.instances("build_warehouse", "day5", "build_all")
    plan = airflow.xcom("build_warehouse", "day5", "plan_build")
    fees = query("select * from mart.fees order by 1, 2, 3, 4")
    query("delete from mart.fees where true")
    airflow.clear("build_warehouse", "day5", ["mart.fees"])
    airflow.wait("build_warehouse", "day5")
    assert fees and query("select * from mart.fees order by 1, 2, 3, 4") == fees
    [again] = airflow.instances("build_warehouse", "day5", "mart.fees")
    assert (again["try_number"], again["pid"] is None) == (2, False), "built on a worker"
    for name in ("as_of", "known_at"):
        assert f"'TRIBUTARY_{name.upper()}': '{plan[name]}'" in str(again["rendered_fields"]["env"])
    assert airflow.instances("build_warehouse", "day5", "build_all") == build


def test_every_way_of_running_a_date_computes_the_same_window(airflow: Airflow, company: World) -> None:
    """A schedule's interval, backfill, REST with a logical date or Params, `dags test`: one window for the 4th."""
    before = contents()
    only: dict[str, Any] = {"streams": ["products"]}
    airflow.start("ingest_stripe", "by_date", logical_date="2026-01-05T06:00:00Z", **only)
    airflow.start("ingest_stripe", "by_params", window_start="2026-01-04", window_end="2026-01-05", **only)
    airflow.start("ingest_stripe", "by_neither", **only)
    airflow.start_interval("ingest_stripe", "by_interval", "2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z", **only)
    for run_id in ("by_date", "by_params", "by_neither", "by_interval"):
        airflow.wait("ingest_stripe", run_id)
    airflow.run_without_scheduler("ingest_stripe", "2026-01-05T12:00:00", **only)
    rows = query(
        "select run_id, window_start, window_end from ops.ledger "
        "where table_name = 'stripe_products' and axis = 'changed'"
    )
    windows = {row["run_id"]: (row["window_start"], row["window_end"]) for row in rows}
    latest = windows.pop("by_neither")
    # The last full day by the real clock; what lies between it and the loaded days of the world is made up for.
    assert latest[0] == day(5) and timedelta(0) <= datetime.now(UTC) - latest[1] < timedelta(days=2)
    others = {window for run_id, window in windows.items() if window[1] == day(5)}
    assert others == {(day(3), day(5))}
    assert len([run_id for run_id, window in windows.items() if window[1] == day(5)]) == 5, windows
    assert contents() == before, "running a window again changed a table"
    skipped = airflow.tasks("ingest_stripe", "by_date")
    assert skipped["customers.plan"] == skipped["customers.replace"] == "skipped"


def test_clearing_a_task_runs_it_again_and_changes_nothing(airflow: Airflow, company: World) -> None:
    before = contents()
    former = airflow.instances("ingest_stripe", "by_date", "products.window.extract")[0]
    airflow.clear("ingest_stripe", "by_date", ["products.window.extract"])
    airflow.wait("ingest_stripe", "by_date")
    again = airflow.instances("ingest_stripe", "by_date", "products.window.extract")[0]
    assert again["try_number"] > former["try_number"]
    loads = query("select extraction_id from ops.ledger where run_id = 'by_date' and table_name = 'stripe_products'")
    assert len({row["extraction_id"] for row in loads}) == 2, "clearing a task must read the source again"
    assert contents() == before
    assert again["rendered_map_index"] == "acme 2026-01-03..2026-01-05"


def test_a_reading_that_was_ordered_again_and_failed_is_not_shown_as_done(airflow: Airflow, company: World) -> None:
    """What the task staged the last time is not what was ordered, though Airflow still has it."""
    company.fault("stripe", kind="missing_permission", times=20, path="/v1/products")
    airflow.clear("ingest_stripe", "by_date", ["products.window.extract"])
    airflow.wait("ingest_stripe", "by_date", expect="failed")
    states = airflow.tasks("ingest_stripe", "by_date")
    assert states["products.window.extract"] == "failed"
    assert states["products.replace"] != "success", states
    company.faults("stripe", [])
    airflow.clear("ingest_stripe", "by_date", ["products.window.extract"])
    airflow.wait("ingest_stripe", "by_date")


def test_a_day_later_from_another_process_a_rerun_changes_nothing(airflow: Airflow, company: World) -> None:
    """The world moves on by a day, which is loaded; then the history and a former day are run again, elsewhere."""
    company.clock("2026-01-07T00:10:00Z")
    for dag_id in INGEST:
        airflow.start(dag_id, "day6", logical_date="2026-01-07T06:00:00Z")
    for dag_id in INGEST:
        airflow.wait(dag_id, "day6")
    before = contents()
    for dag_id in INGEST:
        airflow.run_without_scheduler(dag_id, "2026-01-05T18:00:00")
    assert contents() == before
    assert_raw_equals_the_books(company, loads_until((4, 6), (5, 6), (6, 7)))


@pytest.mark.parametrize(
    "conf", [{"streams": ["invoice"]}, {"window_start": "yesterday"}, {"axis": "sideways"}, {"chunk_days": 0}]
)
def test_the_trigger_form_refuses_what_it_does_not_know(airflow: Airflow, conf: dict[str, Any]) -> None:
    from local.errors import LocalStackError

    with pytest.raises(LocalStackError, match="answered 4"):
        airflow.start("ingest_stripe", f"refused-{next(iter(conf))}", **conf)


def test_a_window_in_the_future_or_reversed_runs_nothing(airflow: Airflow) -> None:
    cases = {
        "future": ({"window_start": "2026-01-04", "window_end": "2099-01-01"}, "ends in the future"),
        "reversed": ({"window_start": "2026-01-05", "window_end": "2026-01-04"}, "ends before it starts"),
    }
    for run_id, (conf, message) in cases.items():
        airflow.start("ingest_stripe", run_id, streams=["products"], **conf)
        airflow.wait("ingest_stripe", run_id, expect="failed")
        states = airflow.tasks("ingest_stripe", run_id)
        assert states["products.plan"] == "failed"
        assert states["products.replace"] == "upstream_failed"
        assert states["customers.plan"] == "skipped", "refused for a stream that was not chosen"
        assert message in airflow.log("ingest_stripe", run_id, "products.plan")
        assert airflow.instances("ingest_stripe", run_id, "products.plan")[0]["try_number"] == 1, "retried in vain"


def test_no_key_and_no_address_reaches_logs_or_xcom(airflow: Airflow) -> None:
    """The credentials, and every e-mail address of the company, in everything that Airflow wrote."""
    from pathlib import Path

    emails = {row["email"] for row in query("select email from raw.stripe_customers where email is not null")}
    secrets = {"sk_test_tributary", "pat-na1-tributary"} | emails
    assert len(secrets) > 10
    home = Path(airflow.environment["AIRFLOW_HOME"])
    logs = list((home / "logs").rglob("*.log"))
    assert logs
    # The database with its write-ahead log, which holds what was written last, and the log of the services.
    for file in [*logs, *home.glob("airflow.db*"), home.parent / "run" / "airflow.log"]:
        text = file.read_bytes().decode("utf-8", "replace")
        assert not [secret for secret in secrets if secret in text], f"{file.name} holds a secret or an address"
