"""dbt for real, on the emulator: every model, every test, and the person mart against the oracle."""

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.conftest import AS_OF, OPEN, SEALED, WORLDS
from tests.dbt.runner import PROJECT, DbtRun, run_dbt
from tests.dbt.warehouse import Warehouse
from tests.dbt.world import Loaded
from tests.oracle import compare_clv, expected_clv, expected_people
from tests.oracle.compare import compare_rows
from tests.oracle.identity import expected_companies, expected_records

pytestmark = pytest.mark.emulators


def test_everything_builds_and_every_test_passes(built: DbtRun) -> None:
    assert built.code == 0, built.failed() or built.output[-3000:]
    kinds = Counter(name.split(".")[0] for name in built.results)
    assert kinds["model"] == len(list(PROJECT.glob("models/**/*.sql"))) and kinds["test"] > 150


@pytest.mark.parametrize("client", WORLDS)
def test_the_mart_equals_the_oracle(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    assert built.code == 0
    actual = warehouse.query(f"select * from mart.customer_lifetime_value where client_id = '{client}'")
    expected = expected_clv(worlds[client].raw, AS_OF, client)
    assert len(expected) > WORLDS[client][1] / 2
    assert compare_clv(expected, actual) == []
    people = warehouse.query(f"select match from staging.int_persons where client_id = '{client}'")
    assert Counter(row["match"] for row in people) == expected_people(worlds[client].raw, AS_OF, client)
    # the world has every case that the mart is about
    assert {row["match_confidence"] for row in expected} == {"certain", "high", "medium", "none"}
    assert {row["match"] for row in expected} == {"matched", "stripe_only", "no_email"}
    assert {row["currency"] for row in expected} >= {"usd", "eur", "jpy", "kwd"}
    assert any(row["is_churned_in_crm_but_active"] for row in expected)
    assert any(row["is_active_in_crm_but_churned"] for row in expected)
    assert any(row["stripe_customer_ids"] > 1 for row in expected)


@pytest.mark.parametrize("client", WORLDS)
def test_who_is_who_equals_the_oracle(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    raw = worlds[client].raw
    records = expected_records(raw, AS_OF, client)
    actual = warehouse.query(f"select * from mart.person_records where client_id = '{client}'")
    assert compare_rows(["source", "record_id"], records, actual) == []
    reasons = {row["match_reason"] for row in records if row["source"] == "stripe"}
    assert reasons == {
        "metadata", "merged_contact", "crm_property", "email", "additional_email", "stripe_only", "no_email"
    }  # fmt: skip
    companies = expected_companies(raw, AS_OF, client)
    actual = warehouse.query(f"select * from staging.int_customer_companies where client_id = '{client}'")
    assert compare_rows(["customer_id"], companies, actual) == []
    assert {row["match_reason"] for row in companies} == {"metadata", "contact", "domain"}
    assert any(row["companies_claiming"] > 1 for row in companies)


def test_hashed_addresses_lead_to_the_same_people(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded]
) -> None:
    """One client's rows twice, once with addresses hashed before they were staged: nobody is lost, no money moves."""

    def people(client: str) -> set[tuple[Any, ...]]:
        records: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
        for row in warehouse.query(f"select * from mart.person_records where client_id = '{client}'"):
            records[row["person_key"]].add((row["source"], row["record_id"], row["match_reason"]))
        worth: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
        columns = "person_key, currency, match, match_confidence, net_cash_collected, mrr, plan, crm_status"
        for row in warehouse.query(f"select {columns} from mart.customer_lifetime_value where client_id = '{client}'"):
            worth[row.pop("person_key")].add(tuple(row.values()))
        assert worth.keys() <= records.keys()
        return {(frozenset(found), frozenset(worth[key])) for key, found in records.items()}

    assert people(SEALED) == people(OPEN)
    assert any(len({source for source, *_ in records}) == 2 for records, _ in people(SEALED))
    raw = f"select email from raw.stripe_customers where client_id = '{SEALED}' and email is not null"
    assert all(re.fullmatch("[0-9a-f]{64}", row["email"]) for row in warehouse.query(raw))
    shown = f"select email from mart.customer_lifetime_value where client_id = '{SEALED}' and email is not null"
    assert warehouse.query(f"select count(*) as n from ({shown} and email like '%@%')") == [{"n": 0}]


def test_an_invoice_is_drawn_up_before_the_moment_and_issued_after_it(built: DbtRun, warehouse: Warehouse) -> None:
    """One that the raw tables know as issued, since they were read later, but that is no revenue yet."""
    others = f"select net_amount from mart.invoices where client_id != '{SEALED}'"
    pending = f"{others} and created_at < as_of and issued_at >= as_of"
    as_of = f"timestamp '{AS_OF.isoformat()}'"
    assert warehouse.query(pending.replace("as_of", as_of)) == [{"net_amount": 0}]


def test_unit_tests_pass(built: DbtRun, warehouse: Warehouse, tmp_path: Path) -> None:
    run = run_dbt(["test", "--select", "test_type:unit"], tmp_path, warehouse.settings)
    assert run.code == 0, run.failed() or run.output[-3000:]
    assert len(run.results) == 38


def test_a_client_reports_in_its_accounts_currency(built: DbtRun, warehouse: Warehouse, tmp_path: Path) -> None:
    """The variable decides, then what clients.yml declares, then what the account settled in first."""
    run = run_dbt(
        ["compile", "--select", "int_clients"],
        tmp_path,
        warehouse.settings,
        {"TRIBUTARY_CURRENCIES": json.dumps({"acme": "eur", "zenith": "chf", "gone": "sek"})},
        as_of=AS_OF.isoformat(),
        reporting={"zenith": {"currency": "GBP"}},
    )
    assert run.code == 0, run.output[-3000:]
    [node] = [n for n in run.manifest["nodes"].values() if n["name"] == "int_clients"]
    found = {row["client_id"]: row["reporting_currency"] for row in warehouse.query(node["compiled_code"])}
    assert found == {"acme": "eur", "zenith": "gbp", OPEN: "usd", SEALED: "usd"}


def test_an_as_of_that_is_no_moment_is_refused(parsed: DbtRun, tmp_path: Path) -> None:
    run = run_dbt(["parse"], tmp_path, as_of="yesterday")
    assert run.code != 0
    assert "as_of is 'yesterday'; expected a moment with its offset" in run.output


def test_freshness_is_the_ledgers(built: DbtRun, warehouse: Warehouse, tmp_path: Path) -> None:
    """How far each client is covered counts, not when its rows last changed; the contract says how much is late."""
    now = datetime.now(UTC)

    def load(
        table: str, client: str, hours_ago: int, observed_hours_ago: int = 0
    ) -> tuple[str, str, datetime, datetime]:
        return table, client, now - timedelta(hours=hours_ago), now - timedelta(hours=observed_hours_ago)

    warehouse.covered(
        load("stripe_prices", "acme", 2),
        load("stripe_prices", "acme", 900),  # an old day that was loaded again
        load("stripe_charges", "acme", 2),
        load("stripe_charges", "zenith", 30),
        load("stripe_coupons", "acme", 0, 100),  # nobody knows a day before it is over
    )
    sources = [f"source:stripe.stripe_{name}" for name in ("prices", "charges", "coupons")]
    run = run_dbt(["source", "freshness", "--select", *sources], tmp_path, warehouse.settings)
    found = json.loads((tmp_path / "sources.json").read_text())["results"]
    assert {row["unique_id"].rpartition(".")[2]: row["status"] for row in found} == {
        "stripe_prices": "pass",
        "stripe_charges": "warn",
        "stripe_coupons": "error",
    }, run.output[-3000:]
