"""The semantic layer: valid, compiled without a warehouse, and equal to what the marts say."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.settings import LocalSettings
from tests.dbt.conftest import GIVEN, WORLDS
from tests.dbt.runner import DbtRun
from tests.dbt.warehouse import Row, Warehouse
from tributary.builds.metric_sql import MetricTable, metric_tables
from tributary.builds.metric_tables import write_metrics
from tributary.errors import RefusedError


class _Writer:
    """The test warehouse as the pipeline's protocol has it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.project = warehouse.settings.project
        self._warehouse = warehouse

    def query(self, sql: str, labels: dict[str, str]) -> list[Row]:
        assert labels == {"stream": "metrics"}
        return self._warehouse.query(sql)


@pytest.fixture(scope="module")
def tables(parsed: DbtRun) -> dict[str, MetricTable]:
    declared = metric_tables(parsed.target / "semantic_manifest.json", LocalSettings().project)
    return {table.table: table for table in declared}


def test_metricflow_finds_nothing_wrong(parsed: DbtRun) -> None:
    """The checks of `mf validate-configs --skip-dw`; its command line asks the internet for a newer version first."""
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest

    text = (parsed.target / "semantic_manifest.json").read_text()
    manifest = parse_manifest_from_dbt_generated_manifest(manifest_json_string=text)
    found = SemanticManifestValidator[Any]().validate_semantic_manifest(manifest)
    assert len(manifest.semantic_models) == 5
    assert not found.all_issues, [issue.message for issue in found.all_issues]


def test_every_metric_is_described_and_in_a_table(parsed: DbtRun) -> None:
    manifest = parsed.manifest
    assert len(manifest["metrics"]) > 25
    used = {m for query in manifest["saved_queries"].values() for m in query["query_params"]["metrics"]}
    # or a part of one that is
    used |= {part["name"] for m in manifest["metrics"].values() for part in m["type_params"]["metrics"] or ()}
    for metric in manifest["metrics"].values():
        assert len(metric["description"]) > 20, metric["name"]
        assert metric["name"] in used, metric["name"]
    for query in manifest["saved_queries"].values():
        # amounts of two currencies or clients must never be one number
        dimensions = " ".join(query["query_params"]["group_by"])
        assert "__client_id" in dimensions, query["name"]
        assert "__currency" in dimensions or query["name"] == "metrics_sales", query["name"]


def test_every_saved_query_has_a_table(tables: dict[str, MetricTable]) -> None:
    names = ("acquisition", "clv", "mrr", "revenue", "sales")
    assert set(tables) == {f"mart.metrics_{name}" for name in names}
    for table in tables.values():
        assert table.sql.startswith("select date(metric_time__"), table.sql[:100]
        assert len(table.description) > 20


def test_a_manifest_that_is_not_there_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="`dbt parse` writes it"):
        metric_tables(tmp_path / "semantic_manifest.json", "any-project")


def test_a_manifest_of_one_project_serves_another(parsed: DbtRun) -> None:
    """The image is parsed when it is built; the project is known when it runs."""
    import sqlglot
    from sqlglot import exp

    for declared in metric_tables(parsed.target / "semantic_manifest.json", "another-project"):
        named = sqlglot.parse_one(declared.sql, read="bigquery").find_all(exp.Table)
        projects = {table.catalog for table in named if table.db}
        assert projects == {"another-project"}, declared.table


@pytest.fixture(scope="module")
def written(built: DbtRun, warehouse: Warehouse, tables: dict[str, MetricTable]) -> Warehouse:
    """The metric tables, written twice as two runs would."""
    for _ in range(2):
        write_metrics(_Writer(warehouse), tables.values(), {"stream": "metrics"})  # type: ignore[arg-type]
    return warehouse


@pytest.mark.emulators
@pytest.mark.parametrize("client", WORLDS)
def test_recurring_metrics_are_sums_of_the_movements(written: Warehouse, client: str) -> None:
    sums: dict[tuple[Any, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    kinds = ("new", "reactivation", "expansion", "contraction", "churn")
    for row in written.query(f"select * from mart.mrr_movements where client_id = '{client}'"):
        cell = sums[row["month"], row["currency"]]
        for name in ("opening_mrr", "closing_mrr", *(f"{kind}_mrr" for kind in kinds)):
            cell[name] += row[name]
        cell["reporting_closing_mrr"] += row["reporting_closing_mrr"]
        cell["customers"] += row["closing_mrr"] > 0
        cell["opening_customers"] += row["opening_mrr"] > 0
        cell["churned_customers"] += row["movement"] == "churn"
    rows = written.query(f"select * from mart.metrics_mrr where client_id = '{client}'")
    assert {(row["month"], row["currency"]) for row in rows} == set(sums)
    for row in rows:
        cell = sums[row["month"], row["currency"]]
        assert row["mrr"] == cell["closing_mrr"] and row["arr"] == 12 * row["mrr"]
        assert row["customers"] == cell["customers"]
        assert (row["mrr_reporting"], row["unconverted_customers"]) == (cell["reporting_closing_mrr"], 0)
        for kind in kinds:
            assert row[f"{kind}_mrr"] == cell[f"{kind}_mrr"], (row["month"], kind)
        if opening := cell["opening_mrr"]:
            kept = opening + cell["contraction_mrr"] + cell["churn_mrr"]
            assert float(row["grr"]) == pytest.approx(float(kept / opening))
            assert float(row["nrr"]) == pytest.approx(float((kept + cell["expansion_mrr"]) / opening))
            assert float(row["revenue_churn_rate"]) == pytest.approx(float(1 - kept / opening), abs=1e-9)
            assert float(row["logo_churn_rate"]) == pytest.approx(
                float(cell["churned_customers"] / cell["opening_customers"])
            )
        else:
            assert row["nrr"] is None and row["grr"] is None
        if row["customers"]:
            assert float(row["arpa"]) == pytest.approx(float(row["mrr"] / row["customers"]))


@pytest.mark.emulators
@pytest.mark.parametrize("client", WORLDS)
def test_the_other_metrics_are_sums_of_their_marts(written: Warehouse, client: str) -> None:
    revenue = written.query(
        "select date_trunc(booked_on, month) as month, currency, sum(amount) as net from mart.revenue "
        f"where client_id = '{client}' group by 1, 2"
    )
    rows = written.query(f"select * from mart.metrics_revenue where client_id = '{client}'")
    assert {(r["month"], r["currency"]): r["net_revenue"] for r in rows} == {
        (r["month"], r["currency"]): r["net"] for r in revenue
    }
    deals = [r for r in written.query(f"select * from mart.deals where client_id = '{client}'") if r["is_closed"]]
    sales = written.query(f"select * from mart.metrics_sales where client_id = '{client}'")
    assert sum(r["closed_deals"] for r in sales) == len(deals) > 0
    assert sum(r["won_deals"] for r in sales) == sum(r["is_won"] for r in deals) > 0
    units = {r["currency"]: r for r in written.query(f"select * from mart.unit_economics where client_id = '{client}'")}
    people = written.query(f"select * from mart.customer_lifetime_value where client_id = '{client}'")
    links_refunded = 0
    for row in written.query(f"select * from mart.metrics_clv where client_id = '{client}'"):
        mine = [p for p in people if p["currency"] == row["currency"]]
        for name in ("revenue_collected", "cash_collected", "net_cash_collected", "marked_paid_amount"):
            assert row[name] == sum(p[name] for p in mine)
        paying = sum(p["cash_collected"] > 0 for p in mine)
        assert row["paying_persons"] == paying
        if paying:
            assert row["clv"] == pytest.approx(float(row["net_cash_collected"] / paying))
        refunded = sum(
            p["cash_collected"] > 0 and not (p["revenue_collected"] or p["net_cash_collected"]) for p in mine
        )
        links_refunded += refunded
        assert row["active_but_churned"] == sum(p["is_active_in_crm_but_churned"] for p in mine)
        economics = units.get(row["currency"])
        if economics and economics["persons"] and economics["expected_lifetime_months"]:
            # margin x ARPA / churn, but for the rounding of each person's own
            formula = economics["gross_margin"] * economics["mrr"] * economics["expected_lifetime_months"]
            assert row["projected_persons"] == economics["persons"]
            assert float(row["projected_clv"]) == pytest.approx(float(formula / economics["persons"]), abs=0.5)
    assert links_refunded == 1, "nobody in the world got back all that they ever paid"


@pytest.mark.emulators
@pytest.mark.parametrize("client", WORLDS)
def test_what_winning_customers_costs_is_a_metric_where_somebody_has_said_so(written: Warehouse, client: str) -> None:
    months = {r["month"]: r for r in written.query(f"select * from mart.acquisition where client_id = '{client}'")}
    rows = written.query(f"select * from mart.metrics_acquisition where client_id = '{client}'")
    assert {row["month"] for row in rows} == set(months)
    for row in rows:
        month = months[row["month"]]
        assert row["acquired_customers"] == month["new_persons"]
        assert row["acquisition_cost"] == month["acquisition_cost"]
        if month["acquisition_cost"] is not None and month["new_persons"]:
            assert float(row["cac"]) == pytest.approx(float(month["acquisition_cost"] / month["new_persons"]))
        else:
            assert row["cac"] is None
    assert any(row["cac"] for row in rows) == bool(GIVEN[client].costs)


@pytest.mark.emulators
def test_a_total_of_which_a_part_has_no_rate_is_unknown(written: Warehouse, tables: dict[str, MetricTable]) -> None:
    """Every metric in the reporting currency: null beside what could be converted, and how much could not."""
    parts = {
        "metrics_revenue": ("mart.revenue", "reporting_amount", "amount", "net_revenue", "bookings"),
        "metrics_clv": (
            "mart.customer_lifetime_value",
            "reporting_net_cash_collected",
            "net_cash_collected",
            "net_cash",
            "cash",
        ),
    }
    for name, (mart, column, amount, metric, unit) in parts.items():
        total = "net_cash_collected_reporting" if metric == "net_cash" else f"{metric}_reporting"
        select = f"select * from mart.{name} where currency = 'usd' order by client_id, 1"
        before = written.query(select)
        assert all(row[total] == row[f"{metric}_converted"] and row[f"unconverted_{unit}"] == 0 for row in before)
        written.query(f"create table mart.kept as select * from {mart}")
        one = f"select min(to_json_string(r)) from {mart} r where currency = 'usd' and {amount} > 0"
        written.query(f"update {mart} t set {column} = null where to_json_string(t) = ({one})")
        write_metrics(_Writer(written), tables.values(), {"stream": "metrics"})  # type: ignore[arg-type]
        pairs = [(a, b) for a, b in zip(before, written.query(select), strict=True) if a != b]
        written.query(
            f"delete from {mart} where true; insert into {mart} select * from mart.kept; drop table mart.kept;"
        )
        [(old, new)] = pairs
        assert (new[total], new[f"unconverted_{unit}"]) == (None, 1)
        assert new[f"{metric}_converted"] < old[f"{metric}_converted"]
    write_metrics(_Writer(written), tables.values(), {"stream": "metrics"})  # type: ignore[arg-type]
