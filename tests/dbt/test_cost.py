"""What a daily run may read: raw in staging only and by column, large tables by partition; and in how many jobs."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Warehouse

pytestmark = pytest.mark.emulators

#: Many rows in a small world, but they don't grow with the business.
BOUNDED = {
    "int_exchange_rates": "a row per currency and day",
    "int_days": "a row per day",
    "retention": "a row per cohort, month and currency",
    "payouts": "a row per day, or two",
}

#: BigQuery jobs of a nightly build: 95 models and 258 tests, and a handful beside them, such as for datasets. Each is a
#: second or two of waiting there, whatever it reads: what needs more has to be worth it.
JOBS = 370

CONTRACT = "where false and current_timestamp() = current_timestamp()"
"""In the query that asks for the columns of a model, which the DAGs leave out."""


def test_a_build_is_a_job_per_passing_test_and_per_model(built: DbtRun, warehouse: Warehouse) -> None:
    kinds = Counter(id_.split(".")[0] for id_ in built.results)
    assert built.code == 0
    jobs = warehouse.jobs(*built.period)
    nightly = [sql for sql in jobs if CONTRACT not in sql]
    assert kinds["model"] * 0.8 < len(jobs) - len(nightly) <= kinds["model"]
    assert kinds["test"] + kinds["model"] <= len(nightly) <= min(JOBS, kinds["test"] + kinds["model"] + 8)
    assert not [sql for sql in jobs if re.search(r"create or replace table `?[\w-]*`?\.`?dq`?\.", sql)]
    assert warehouse.tables("dq") == set()


def test_what_grows_like_the_invoices_is_partitioned_and_clustered(built: DbtRun, warehouse: Warehouse) -> None:
    tables = {
        node["name"]: node
        for node in built.manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view"
    }
    counts = " union all ".join(
        f"select '{name}' as name, count(*) as n from {node['schema']}.{name}" for name, node in tables.items()
    )
    rows = {row["name"]: row["n"] for row in warehouse.query(counts)}
    large = {name for name, n in rows.items() if 2 * n >= rows["invoices"]} - BOUNDED.keys()
    assert large >= {"invoice_lines", "revenue", "payments", "mrr", "int_invoice_line_amounts", "int_revenue_entries"}
    for name in sorted(large):
        config = tables[name]["config"]
        assert config.get("partition_by", {}) and config["partition_by"]["granularity"] == "month", name
        assert config["cluster_by"][0] == "client_id", name


def test_compiled_models_read_raw_in_staging_only_and_by_column(built: DbtRun) -> None:
    """Also where a build is pinned to what was known at a moment, and staging reads history as well."""
    models = [node for node in built.manifest["nodes"].values() if node["resource_type"] == "model"]
    assert all(node["compiled"] for node in models)
    for node in models:
        sql = node["compiled_code"].lower()
        # All columns of what the model itself has put together are no more than it has read.
        steps = set(re.findall(r"\b(\w+) as \(\s*(?:--[^\n]*\s*)*select\b", sql))
        steps |= {alias for step, alias in re.findall(r"\b(?:from|join) (\w+) as (\w+)", sql) if step in steps}
        assert set(re.findall(r"\bselect\s+(?:(\w+)\.)?\*", sql)) <= steps, node["name"]
        if node["fqn"][1] != "staging":
            assert not re.search(r"`(raw|raw_history)`\.", sql), node["name"]


def test_a_pinned_build_reads_raw_and_history_by_column(warehouse: Warehouse, tmp_path: Path) -> None:
    run = run_dbt(
        ["compile", "--select", "stg_stripe__invoices"],
        tmp_path,
        warehouse.settings,
        {"TRIBUTARY_KNOWN_AT": "2026-01-01T12:00:00Z"},
    )
    assert run.code == 0, run.output[-3000:]
    [node] = [n for n in run.manifest["nodes"].values() if n["name"] == "stg_stripe__invoices"]
    sql = node["compiled_code"]
    assert "`raw`.`stripe_invoices`" in sql and "`raw_history`.`stripe_invoices`" in sql
    assert "_valid_to > timestamp '2026-01-01T12:00:00Z'" in sql
    assert not re.search(r"select\s+\*", sql)
