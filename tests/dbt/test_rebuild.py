"""A month that was built once comes out again whatever was loaded since; building what was touched is building all."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulators.world.build import build
from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Row, Warehouse
from tests.dbt.world import Loaded, books_of, day, loaded
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
#: What the first test compares, with all that it is built from: money, and people with their state in the CRM.
MARTS = ("+revenue", "+payments", "+mrr_movements", "+customer_lifetime_value")
#: Nobody in the simulated company has tiers, marks an invoice as paid by hand or takes an item off a subscription.
EMPTY = {"staging.int_price_tiers", "staging.int_marked_paid", "staging.int_subscription_item_ends"}
#: The tables of which only touched partitions are built, with what they are built from, each with all of its parents.
FACTS = {
    "int_invoice_line_amounts": ("stripe_invoices", "stripe_invoice_lines"),
    "int_subscription_item_events": ("stripe_events",),
}


@dataclass
class Place:
    """Datasets of their own, named `<prefix>_staging` and so on."""

    prefix: str
    warehouse: Warehouse
    target: Path

    def build(self, *select: str, environment: dict[str, str] | None = None, **variables: Any) -> DbtRun:
        """`dbt build` without tests."""
        command = ["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
        run = run_dbt(
            [*command, *(("--select", *select) if select else ())],
            self.target / self.prefix,
            self.warehouse.settings,
            {"DBT_DATASET_PREFIX": f"{self.prefix}_", **(environment or {})},
            reporting={"zenith": {"timezone": "America/New_York"}},
            **variables,
        )
        assert run.code == 0, run.failed() or run.output[-3000:]
        return run

    def rows(self, table: str) -> list[str]:
        """The rows of a table, but for what they say of the run itself."""
        found = self.warehouse.query(f"select * from {self.prefix}_{table}")
        return sorted(str(sorted((row | {"known_at": None}).items())) for row in found)


@dataclass
class World:
    then: Place
    again: Place
    before: Loaded
    after: Loaded
    #: Table -> its rows when December was built first, and when it was built again.
    december: dict[str, tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def world(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> World:
    """December built when it closed, a month of loads, and December again."""
    books = books_of(build(7, 25))
    target = tmp_path_factory.mktemp("rebuild")
    then, again = Place("then", warehouse, target), Place("again", warehouse, target)
    before = loaded(books, HISTORY, "zenith")
    after = loaded(books, sorted(HISTORY + SINCE, key=lambda load: load.observed_at), "zenith")
    warehouse.load(before.rows, before.history)
    tables = _tables(then.build(*MARTS, as_of=DECEMBER.isoformat()))
    warehouse.load(after.rows, after.history)
    again.build(*MARTS, as_of=DECEMBER.isoformat(), known_at=day(2026, 1, 1, 12).isoformat())
    return World(then, again, before, after, {table: (then.rows(table), again.rows(table)) for table in tables})


def test_a_past_month_has_the_numbers_that_were_built_then(world: World) -> None:
    assert {"mart.mrr_movements", "mart.revenue", "mart.customer_lifetime_value", "staging.int_persons"} <= set(
        world.december
    )
    for table, (then, again) in world.december.items():
        assert again == then, table
        assert then or table in EMPTY, f"{table} is empty, so it proves nothing"


def test_what_was_loaded_since_would_have_changed_it(world: World, warehouse: Warehouse) -> None:
    """The loads of January deleted, merged and changed records of December, so the first test is about something."""
    [raw] = warehouse.query(
        "select countif(_deleted_at is not null) as deleted, countif(_valid_from > '2026-01-02') as changed "
        "from raw.stripe_customers where created < '2026-01-01'"
    )
    assert raw["deleted"] > 0 and raw["changed"] > raw["deleted"]
    [known] = warehouse.query("select count(*) as n from again_staging.stg_stripe__customers where is_deleted")
    assert known["n"] == 0


def test_building_what_was_touched_is_building_everything(world: World, warehouse: Warehouse) -> None:
    touched = {raw: _touched(world.before.rows[raw], world.after.rows[raw]) for raws in FACTS.values() for raw in raws}
    held = {row["_record_date"][:7] for row in world.before.rows["stripe_invoices"]}
    old = {month[:7] for month in touched["stripe_invoices"]} & held
    assert old and old < held, "of the months that were there before, loads touched some and left some alone"
    # what no load touched is not even read: a row that was tampered with stays as it is
    [left_alone] = [f"{month}-01" for month in sorted(held - old)[:1]]
    alone = f"date(date_trunc(record_date, month)) = '{left_alone}'"
    warehouse.query(f"update then_staging.int_invoice_line_amounts set gross_amount = 4711 where {alone}")
    select = [f"+{fact}" for fact in FACTS]
    world.then.build(*select, environment={"TRIBUTARY_TOUCHED": json.dumps(touched)}, as_of=JANUARY.isoformat())
    world.again.build(*select, as_of=JANUARY.isoformat())
    for fact in FACTS:
        found, wanted = (
            sorted(
                str(sorted(row.items()))
                for row in warehouse.query(f"select * from {prefix}_staging.{fact} where not {alone}")
            )
            for prefix in ("then", "again")
        )
        assert found == wanted and len(found) > 100, fact
    [row] = warehouse.query("select count(*) as n from then_staging.int_invoice_line_amounts where gross_amount = 4711")
    assert row["n"] > 0


def test_the_past_does_not_replace_the_present(tmp_path: Path) -> None:
    run = run_dbt(["parse"], tmp_path, known_at="2026-01-01T12:00:00Z")
    assert run.code != 0
    assert "give that past datasets of its own by DBT_DATASET_PREFIX" in run.output


def _touched(before: list[Row], after: list[Row]) -> list[str]:
    """First days of the months of the rows that are new or changed, as the ledger would list them."""
    known = [_state(row) for row in before]
    return sorted({f"{row['_record_date'][:7]}-01" for row in after if _state(row) not in known})


def _state(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "_observed_at"}


def _tables(run: DbtRun) -> list[str]:
    """`dataset.name` of every table that the run wrote, without the prefix."""
    models = [run.manifest["nodes"][id_] for id_ in run.results if id_.startswith("model.")]
    return sorted(
        f"{node['schema'].partition('_')[2]}.{node['name']}"
        for node in models
        if node["config"]["materialized"] != "view"
    )
