"""The preflight, through its command line, against services that are well and services that are not."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from google.cloud.bigquery import Dataset, DatasetReference
from google.cloud.bigquery.table import TableListItem

from tests.conftest import ROOT, variables
from tests.support.world import World
from tributary.preflight.google import _clock, _expiry, _inside

pytestmark = pytest.mark.emulators


def preflight(*arguments: str, **variables: str | None) -> tuple[int, list[str]]:
    """Exit status, and the lines of the report. A variable that is None is taken away."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), **{k: v for k, v in variables.items() if v}}
    for name in (name for name, value in variables.items() if value is None):
        environment.pop(name, None)
    command = [sys.executable, "-m", "tributary.cli.preflight", "--wide", "400", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [" ".join(line.split()) for line in done.stdout.splitlines()]


def to_mend(lines: list[str]) -> list[str]:
    return [line.removeprefix("mend ") for line in lines if line.startswith("mend ")]


def test_all_is_well_on_the_local_stack(world: World):
    code, lines = preflight()
    assert code == 0, "\n".join(lines)
    report = "\n".join(lines)
    assert lines[-1].startswith("all ")
    for expected in (
        "ok BigQuery jobs ml-prod-analytics in US",
        "ok BigQuery dataset raw writable",
        "ok BigQuery dataset mart exists",
        "ok lake bucket gs://tributary-lake",
        "ok stripe acme connection stripe_default, test mode",
        "ok stripe acme account acct_tributary, its clock says 2026-01-04 06:00:0",
        "ok stripe acme currency usd",
        "ok stripe acme read invoices changed, created",
        "ok hubspot acme read contacts changed, created",
        "ok hubspot acme read owners whole",
        "ok personal data key connection pii_default; 0 streams hash with it",
    ):
        assert expected in report
    assert "ok this machine clock" in report


def test_it_leaves_nothing_behind(world: World):
    from tests.support.pipeline import bucket, warehouse

    preflight("stripe")
    assert not [table.table_id for table in warehouse().client.list_tables("raw") if "preflight" in table.table_id]
    assert not list(bucket().list_blobs(prefix="preflight/"))


@pytest.mark.parametrize("field", ["default_table_expiration_ms", "default_partition_expiration_ms"])
@pytest.mark.parametrize("name", ["raw", "mart"])
def test_a_dataset_that_lets_go_of_what_is_in_it(world: World, name: str, field: str):
    from tests.support.pipeline import warehouse
    from tributary.preflight.google import check_warehouse

    client = warehouse().client

    def expire(milliseconds: int | None) -> None:
        dataset = client.get_dataset(name)
        setattr(dataset, field, milliseconds)
        client.update_dataset(dataset, [field])

    expire(45 * 86_400_000)
    try:
        found = {finding.check: finding.fix for finding in check_warehouse(lambda: client, client.project, "US")}
    finally:
        expire(None)
    flag = field.removesuffix("_ms")
    assert f"expires after 45 days; run `bq update --{flag} 0 {client.project}:{name}`" in found[f"dataset {name}"]
    assert not found["dataset raw_stage"], "its tables are to go away by themselves"


def test_a_table_that_expires():
    """As BigQuery lists it; the emulator lists tables without it."""
    reference = {"projectId": "p", "datasetId": "raw_history"}

    def listed(name: str, **fields: object) -> TableListItem:
        return TableListItem({"tableReference": {**reference, "tableId": name}, **fields})

    months = {"type": "MONTH", "field": "_valid_to"}
    tables = [
        listed("kept", timePartitioning=months),
        listed("passing", expirationTime="1790000000000"),
        listed("losing_months", timePartitioning={**months, "expirationMs": "5184000000"}),
    ]
    client = SimpleNamespace(list_tables=lambda dataset: tables)
    dataset = Dataset(DatasetReference("p", "raw_history"))
    told = _expiry(client, dataset)
    assert told.startswith("2 of its tables expire, or their partitions: passing, losing_months; run `bq update ")
    assert told.endswith("--time_partitioning_expiration 0 p:raw_history.passing` for each")
    tables = tables[:1]
    assert _expiry(client, dataset) == ""


def test_a_first_day_that_is_later_than_the_oldest_record(world: World, tmp_path: Path):
    clients = yaml.safe_load((ROOT / "include" / "clients.yml").read_text())
    clients["stripe"][0]["since"] = date(2025, 3, 1)
    file = tmp_path / "clients.yml"
    file.write_text(yaml.safe_dump(clients))
    _, lines = preflight("stripe", TRIBUTARY_CLIENTS_FILE=str(file))
    [told] = to_mend(lines)
    assert told.startswith("stripe acme first day since is 2025-03-01, but ")
    assert "customers" in told
    streams = ("customers", "products", "prices", "coupons")
    created = [e["created"][:10] for name in streams for e in world.books("stripe", name) if not e["deleted_at"]]
    day = datetime.fromisoformat(told.partition("records from ")[2][:10])
    assert abs(day - datetime.fromisoformat(min(created))) <= timedelta(days=1)


@pytest.mark.parametrize("around", ["\n", "\r\n", "\u200b", "\ufeff", "\u00a0", " \t"])
def test_a_key_with_something_around_it_is_used_without_it(world: World, around: str):
    from tests.support.pipeline import Pipeline
    from tributary.hooks.api import ApiHook

    connection = json.loads(os.environ["AIRFLOW_CONN_STRIPE_DEFAULT"])
    connection |= {"password": f"{around}{connection['password']}{around}", "host": f"{connection['host']}{around}"}
    pipeline = Pipeline("stripe", "products")
    with variables({"AIRFLOW_CONN_STRIPE_DEFAULT": json.dumps(connection)}):
        api, livemode = ApiHook(pipeline.source, pipeline.client).client()
        pipeline.source.check_account(api, pipeline.client, livemode)
    assert livemode is False


@pytest.mark.parametrize("inside", ["\n", " ", "\u200b", "\u2013", "\x00"])
def test_a_key_that_can_not_be_one_is_refused_and_never_shown(world: World, inside: str):
    connection = json.loads(os.environ["AIRFLOW_CONN_STRIPE_DEFAULT"])
    connection["password"] = f"rk_live_Qx7{inside}Wm9Zt4"
    code, lines = preflight("stripe", AIRFLOW_CONN_STRIPE_DEFAULT=json.dumps(connection))
    assert code == 1
    [told] = to_mend(lines)
    assert "its password holds a blank or a character that no key has" in told
    assert "Qx7" not in "".join(lines)
    assert "Wm9" not in "".join(lines)


def test_a_token_that_is_not_accepted(world: World):
    world.fault("stripe", kind="expired_token", times=99)
    code, lines = preflight()
    assert code == 1
    assert len(to_mend(lines)) == 1
    assert to_mend(lines)[0].startswith("stripe acme account")
    assert "put a valid one into the connection's password" in to_mend(lines)[0]
    assert any(line.startswith("ok hubspot acme account") for line in lines), "the other source is checked all the same"


def test_a_right_that_is_missing_on_one_stream(world: World):
    """It is named, for the one stream that it is missing on, and the others are looked at all the same."""
    world.fault(
        "hubspot", kind="missing_scopes", reason="crm.objects.deals.read", times=99, path="/crm/objects/*/deals*"
    )
    world.fault("stripe", kind="missing_permission", times=99, path="/v1/disputes*")
    code, lines = preflight()
    assert code == 1
    stripe, hubspot = sorted(to_mend(lines), key=lambda line: "hubspot" in line)
    assert stripe.startswith("stripe acme read disputes")
    assert "rak_dispute_read" in stripe
    assert hubspot.startswith("hubspot acme read deals")
    assert "crm.objects.deals.read" in hubspot


def test_a_key_of_another_account_or_mode(world: World, tmp_path: Path):
    clients = yaml.safe_load((ROOT / "include" / "clients.yml").read_text())
    clients["stripe"].append({**clients["stripe"][0], "client_id": "other", "account": "acct_other"})
    clients["stripe"].append({**clients["stripe"][0], "client_id": "live", "livemode": True})
    clients["hubspot"][0]["connection"] = "hubspot_missing"
    file = tmp_path / "clients.yml"
    file.write_text(yaml.safe_dump(clients))
    code, lines = preflight(TRIBUTARY_CLIENTS_FILE=str(file))
    assert code == 1
    other, live, missing = sorted(to_mend(lines), key=lambda line: ("hubspot" in line, "live account" in line))
    assert "stripe other account connection stripe_default leads to Stripe account acct_tributary" in other
    assert "holds a test mode key" in live
    assert "set AIRFLOW_CONN_HUBSPOT_MISSING" in missing


def test_the_currency_that_marts_report_in(world: World, tmp_path: Path):
    """The account's default one: told where clients.yml leaves it open, a mistake where it says another."""
    clients = yaml.safe_load((ROOT / "include" / "clients.yml").read_text())
    [acme] = clients["stripe"]
    clients["stripe"] = [
        {**acme, "currency": "eur"},
        {k: v for k, v in acme.items() if k != "currency"} | {"client_id": "open"},
    ]
    file = tmp_path / "clients.yml"
    file.write_text(yaml.safe_dump(clients))
    code, lines = preflight("stripe", TRIBUTARY_CLIENTS_FILE=str(file))
    assert code == 1
    [wrong] = to_mend(lines)
    assert wrong.startswith("stripe acme currency clients.yml says eur, the account's default currency is usd")
    assert any(line.startswith("ok stripe open currency usd; `currency: usd` in clients.yml") for line in lines)


def test_places_that_do_not_exist(world: World):
    code, lines = preflight("none", TRIBUTARY_PROJECT="another-project", TRIBUTARY_LAKE_BUCKET="no-such-bucket")
    assert code == 1
    report = "\n".join(to_mend(lines))
    assert report.count("it does not exist") == 8
    assert "bq --location=US mk --dataset another-project:raw_history" in report
    assert "gs://no-such-bucket does not exist" in report


def test_a_key_for_personal_data_that_is_missing(world: World, tmp_path: Path):
    """Without it nobody can be erased; where something is hashed, it says which streams fail."""
    short = {"AIRFLOW_CONN_PII_DEFAULT": '{"conn_type": "generic"}'}
    missing = {"AIRFLOW_CONN_PII_DEFAULT": None}
    [found] = to_mend(preflight("none", **missing)[1])
    assert found.startswith(
        "personal data key connection pii_default, the key for personal data, does not exist; set A"
    )
    assert found.endswith("erasing somebody needs it")
    include = tmp_path / "include"
    shutil.copytree(ROOT / "include" / "contracts", include / "contracts")
    shutil.copy(ROOT / "include" / "clients.yml", include)
    rules = include / "contracts" / "personal_data.yml"
    rules.write_text(yaml.safe_dump({"email": "hash"}))
    code, lines = preflight("none", TRIBUTARY_INCLUDE_DIR=str(include), **short)
    assert code == 1
    [found] = to_mend(lines)
    assert "has a key of less than 32 characters; set AIRFLOW_CONN_PII_DEFAULT" in found
    assert "streams hash with it (hubspot.contacts, " in found
    rules.write_text(yaml.safe_dump({"email": "hide"}))
    [found] = to_mend(preflight("none", TRIBUTARY_INCLUDE_DIR=str(include))[1])
    assert found.startswith("contracts files")
    assert "personal_data.yml" in found


def test_data_elsewhere_than_the_settings_say(world: World):
    code, lines = preflight("none", TRIBUTARY_LOCATION="EU")
    assert code == 1
    assert "it lies in US; set TRIBUTARY_LOCATION to that" in "\n".join(to_mend(lines))


def test_a_warehouse_that_does_not_answer(world: World):
    code, lines = preflight("none", BIGQUERY_EMULATOR_HOST="http://127.0.0.1:9")
    assert code == 1
    assert any(line.startswith("BigQuery jobs") for line in to_mend(lines))


def test_a_clock_that_is_off():
    now = datetime(2026, 1, 4, tzinfo=UTC)
    assert _clock(now, now, now + timedelta(seconds=1)).ok
    for theirs in (now - timedelta(minutes=1), now + timedelta(minutes=1)):
        found = _clock(theirs, now, now + timedelta(seconds=1))
        assert not found.ok
        assert "NTP" in found.fix


@pytest.mark.parametrize(
    ("place", "location", "inside"),
    [("US", "us", True), ("US-CENTRAL1", "US", True), ("EUROPE-WEST1", "EU", True), ("US", "EU", False),
     ("EUROPE-WEST1", "europe-west4", False)],
)  # fmt: skip
def test_where_a_bucket_may_lie(place: str, location: str, inside: bool):
    assert _inside(place, location) is inside
