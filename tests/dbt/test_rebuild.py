"""A month that was built once comes out again, whatever was loaded since."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.simulators.world.build import build
from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Warehouse
from tests.dbt.world import books_of, day, loaded
from tests.oracle import Load
from tests.oracle.raw import Source

pytestmark = pytest.mark.emulators
SOURCES: tuple[Source, ...] = ("stripe", "hubspot")
DECEMBER = day(2026, 1, 1)
JANUARY = day(2026, 2, 1)
HISTORY = [Load(source, "created", day(2024, 7, 1), DECEMBER, day(2026, 1, 1, 6)) for source in SOURCES]
#: A month in which old records change, are merged and are deleted; then everything is listed again.
SINCE = [
    load
    for source in SOURCES
    for load in (
        Load(source, "changed", day(2025, 12, 31), day(2026, 1, 8), day(2026, 1, 8, 6)),
        Load(source, "changed", day(2026, 1, 7), JANUARY, day(2026, 2, 1, 6)),
        Load(source, "created", day(2024, 7, 1), JANUARY, day(2026, 2, 1, 7)),
    )
]


@pytest.fixture(scope="module")
def builds(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DbtRun]]:
    """Three builds in datasets of their own: December when it closed, January, and December again."""
    books = books_of(build(7, 25))
    target = tmp_path_factory.mktemp("rebuild")

    def run(prefix: str, **variables: Any) -> DbtRun:
        environment = {"DBT_DATASET_PREFIX": f"{prefix}_"}
        reporting = {"zenith": {"timezone": "America/New_York"}}
        return run_dbt(
            ["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"],
            target / prefix,
            warehouse.settings,
            environment,
            reporting=reporting,
            **variables,
        )

    before = loaded(books, HISTORY, "zenith")
    warehouse.load(before.rows, before.history)
    done = {"then": run("then", as_of=DECEMBER.isoformat())}
    after = loaded(books, sorted(HISTORY + SINCE, key=lambda load: load.observed_at), "zenith")
    warehouse.load(after.rows, after.history)
    known = {"as_of": DECEMBER.isoformat(), "known_at": day(2026, 1, 1, 12).isoformat()}
    yield done | {"again": run("again", **known)}


def test_a_past_month_has_the_numbers_that_were_built_then(builds: dict[str, DbtRun], warehouse: Warehouse) -> None:
    for run in builds.values():
        assert run.code == 0, run.failed() or run.output[-3000:]
    tables = _tables(builds["then"])
    assert {"mart.mrr_movements", "mart.revenue", "mart.customer_lifetime_value", "staging.int_persons"} <= set(tables)
    for table in tables:
        then, again = (_rows(warehouse, f"{prefix}_{table}") for prefix in ("then", "again"))
        assert again == then, table
        assert then or table in ("mart.funnel", "staging.int_price_tiers"), f"{table} is empty, so it proves nothing"


def test_what_was_loaded_since_would_have_changed_it(builds: dict[str, DbtRun], warehouse: Warehouse) -> None:
    """The loads of January deleted, merged and changed records of December, so the first test is about something."""
    [raw] = warehouse.query(
        "select countif(_deleted_at is not null) as deleted, countif(_valid_from > '2026-01-02') as changed "
        "from raw.stripe_customers where created < '2026-01-01'"
    )
    assert raw["deleted"] > 0 and raw["changed"] > raw["deleted"]
    [known] = warehouse.query("select count(*) as n from again_staging.stg_stripe__customers where is_deleted")
    assert known["n"] == 0


def _tables(run: DbtRun) -> list[str]:
    """`dataset.name` of every table that models write, without the prefix."""
    models = [node for node in run.manifest["nodes"].values() if node["resource_type"] == "model"]
    return sorted(
        f"{node['schema'].partition('_')[2]}.{node['name']}"
        for node in models
        if node["config"]["materialized"] != "view"
    )


def _rows(warehouse: Warehouse, table: str) -> list[str]:
    return sorted(str(sorted(row.items())) for row in warehouse.query(f"select * from {table}"))
