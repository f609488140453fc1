"""What a pipeline mends by itself: days that nobody ran, and what no feed told."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.test_pipeline import INGEST, SINCE, SOURCES, after, assert_raw_equals_the_books, day, loads_until
from tests.oracle import Load
from tests.support.airflow import Airflow
from tests.support.pipeline import query
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.emulators, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def loaded(airflow: Airflow, company: World) -> list[Load]:
    """Everything up to the 7th; what the tests of test_pipeline.py had loaded before, if they ran, comes first."""
    former = airflow.run_state("ingest_stripe", "day6") is not None
    if former:
        # One of these runs was about yesterday by the real clock, far in this world's future: it would be no gap.
        query("delete from ops.ledger where kind = 'load' and window_end > timestamp '2026-06-01 00:00:00+00'")
    company.clock("2026-01-07T00:10:00Z")
    for dag_id in INGEST:
        airflow.start(dag_id, "recovery_start", window_start="2024-07-01", window_end="2026-01-07")
    for dag_id in INGEST:
        airflow.wait(dag_id, "recovery_start")
    loads = loads_until((4, 6), (5, 6), (6, 7)) if former else []
    return [*loads, *(Load(source, "created", SINCE, day(7), after(7)) for source in SOURCES)]


def test_a_run_makes_up_for_the_days_before_it(airflow: Airflow, company: World, loaded: list[Load]) -> None:
    """The 7th and the 8th are never run; the run of the 9th brings what changed in all three days."""
    company.clock("2026-01-10T00:10:00Z")
    for dag_id in INGEST:
        airflow.start(dag_id, "day9", logical_date="2026-01-10T06:00:00Z")
    for dag_id in INGEST:
        airflow.wait(dag_id, "day9")
    loaded += [Load(source, "changed", day(6), day(10), after(10)) for source in SOURCES]
    assert_raw_equals_the_books(company, loaded)
    [row] = query(
        "select window_start, axis_reason from ops.ledger where run_id = 'day9' and table_name = 'stripe_invoices'"
    )
    assert row["window_start"] == day(6)
    assert row["axis_reason"] == "the ledger lacks what came after 2026-01-07T00:00:00Z"


def test_the_weekly_repair_mends_what_no_feed_told(airflow: Airflow, company: World, loaded: list[Load]) -> None:
    """A row that differs from the source, and one that the source has no longer, without an event in any window."""
    victims = query("select id from raw.stripe_customers where _deleted_at is null order by id limit 1")
    query(f"update raw.stripe_customers set name = 'spoilt', _row_hash = 'spoilt' where id = '{victims[0]['id']}'")
    query("delete from raw.stripe_prices where id = (select min(id) from raw.stripe_prices)")
    airflow.start("repair_sources", "week")
    airflow.wait("repair_sources", "week", seconds=600)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    repair = [Load(source, "created", SINCE, end + timedelta(days=1), after(10)) for source in SOURCES]
    assert_raw_equals_the_books(company, [*loaded, *repair])
    reasons = query("select distinct axis_reason from ops.ledger where run_id like 'repair__%' and axis = 'created'")
    assert [row["axis_reason"] for row in reasons] == ["asked to read everything"]
