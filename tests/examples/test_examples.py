"""The marts, and the oracle where it can take them, give the numbers of every worked example."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.settings import LocalSettings
from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Row, Warehouse, emulator
from tests.examples.book import examples
from tests.examples.rows import Tables, months, typed
from tests.oracle import expected_clv
from tests.oracle.bills import billed_mrr
from tests.oracle.mrr import month_ends
from tests.oracle.values import major
from tributary.builds.metric_sql import compiled_metrics

AS_OF = "2026-02-01T00:00:00Z"
BOOK = examples()


@dataclass(frozen=True)
class Built:
    """One warehouse with every example as a client, after `dbt run` and `dbt test`."""

    warehouse: Warehouse
    run: DbtRun
    tests: DbtRun


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    settings = LocalSettings()
    if not (settings.emulators / "bin" / "python").exists():
        pytest.skip(f"no emulators in {settings.emulators}; `make setup` installs them")
    home: Path = tmp_path_factory.mktemp("examples")
    with emulator(home / "warehouse") as running:
        warehouse = Warehouse(running)
        warehouse.create()
        rows: Tables = defaultdict(list)
        history: Tables = defaultdict(list)
        for example in BOOK.values():
            for name, found in example.rows.items():
                rows[name] += found
            for name, found in example.history.items():
                history[name] += found
        warehouse.load(rows, history)
        assert run_dbt(["seed"], home / "seed", running).code == 0
        run = run_dbt(["run"], home / "run", running, as_of=AS_OF)
        assert run.code == 0, run.failed() or run.output[-3000:]
        tests = run_dbt(["test", "--exclude-resource-type", "unit_test"], home / "test", running, as_of=AS_OF)
        yield Built(warehouse, run, tests)


@pytest.mark.emulators
def test_no_example_stops_the_build(built: Built) -> None:
    nodes = built.tests.manifest["nodes"]
    failed = [nodes[id_]["alias"] for id_, r in built.tests.results.items() if r["status"] in ("fail", "error")]
    culprits = {
        name: {r.get("client_id") for r in built.warehouse.query(f"select * from dq.{name}")} for name in failed
    }
    assert not culprits
    assert built.tests.code == 0, built.tests.output[-3000:]


@pytest.mark.emulators
@pytest.mark.parametrize("name", BOOK)
def test_the_marts_say_what_the_example_says(built: Built, name: str) -> None:
    expect = BOOK[name].expect
    if "mrr" in expect:
        sums = "month, sum(recurring.mrr) as mrr"
        sql = f"select {sums} from mart.mrr as recurring where client_id = '{name}' group by month"
        found = {f"{row['month']:%Y-%m}": row["mrr"] for row in built.warehouse.query(sql)}
        assert {month: amount for month, amount in found.items() if amount} == monthly(expect["mrr"])
    if "movements" in expect:
        sql = f"select month, movement from mart.mrr_movements where client_id = '{name}' and movement != 'unchanged'"
        moved: dict[str, list[str]] = defaultdict(list)
        for row in built.warehouse.query(sql):
            moved[f"{row['month']:%Y-%m}"].append(row["movement"])
        wanted = {
            str(month): [kinds] if isinstance(kinds, str) else kinds for month, kinds in expect["movements"].items()
        }
        assert {month: sorted(kinds) for month, kinds in moved.items()} == {m: sorted(k) for m, k in wanted.items()}
    for mart, given in expect.get("rows", {}).items():
        rows = given["rows"] if isinstance(given, Mapping) else given
        where = f" and {given['where']}" if isinstance(given, Mapping) else ""
        found_rows = built.warehouse.query(f"select * from {mart} where client_id = '{name}'{where}")
        columns = list(rows[0]) if rows else []
        assert _plain(found_rows, columns) == _plain(rows, columns), mart
    manifest = built.run.target / "semantic_manifest.json"
    for asked in expect.get("metrics", []):
        sql = compiled_metrics(manifest, built.warehouse.settings.project, asked["metrics"], asked["by"])
        columns = list(asked["rows"][0])
        found_rows = [row for row in built.warehouse.query(sql) if row["client_id"] == name]
        assert _plain(found_rows, columns) == _plain(asked["rows"], columns), asked
    for test in expect.get("told", []):
        assert built.warehouse.query(f"select 1 from dq.{test} where client_id = '{name}' limit 1"), test


def test_the_oracle_says_what_the_examples_say() -> None:
    """Whoever judges the marts agrees with the book first, as far as whole bills and documents alone tell."""
    as_of = datetime.fromisoformat(AS_OF)
    ends = month_ends(datetime(2024, 6, 1, tzinfo=UTC), as_of, UTC)
    judged = 0
    for name, example in BOOK.items():
        raw = typed(example.rows)
        changes = any(example.history.values()) or raw["stripe_events"]
        if "mrr" in example.expect and not changes and (found := billed_mrr(raw, ends, as_of)) is not None:
            [currency] = {row["currency"] for row in raw["stripe_subscriptions"].values()}
            amounts = {f"{y}-{m:02}": major(amount, currency) for (y, m), amount in found.items() if amount}
            assert amounts == monthly(example.expect["mrr"]), name
            judged += 1
        if people := example.expect.get("rows", {}).get("mart.customer_lifetime_value"):
            rows = expected_clv(raw, as_of, name)
            columns = [column for column in people[0] if column in rows[0]]
            assert _plain(rows, columns) == _plain(people, columns), name
    assert judged >= 40


def monthly(ranges: Mapping[Any, Any]) -> dict[str, Decimal]:
    """`{2025-08..2025-10: 140}` as months."""
    found: dict[str, Decimal] = {}
    for span, amount in ranges.items():
        first, _, last = str(span).partition("..")
        found |= {month: Decimal(str(amount)) for month in months(first, last or first)}
    return {month: amount for month, amount in found.items() if amount}


def _plain(rows: list[Row], columns: list[str]) -> list[tuple[str, ...]]:
    """Rows as sorted text, numbers without trailing zeros."""
    return sorted(tuple(_text(row[column]) for column in columns) for row in rows)


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float | Decimal):
        return f"{Decimal(str(round(value, 6))).normalize():f}"
    return str(value)
