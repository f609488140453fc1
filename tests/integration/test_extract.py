"""Extraction against the simulators: every page, every nested page, faults, resume, refusals."""

import json
from typing import Any

import pytest

from tests.support.contracts import changed
from tests.support.pipeline import HISTORY, Pipeline, bucket
from tributary.api.client import ApiError
from tributary.errors import RefusedError
from tributary.landing import extract as extraction
from tributary.landing.lake import read_lines

pytestmark = pytest.mark.emulators


def landed(manifest: Any) -> list[dict[str, Any]]:
    """Every landed page of records or what is nested in them, decoded."""
    pages = [json.loads(line) for part in manifest.parts for line in read_lines(bucket(), part.name)]
    return [page for page in pages if not page.get("definitions")]


def ids(manifest: Any, items: str) -> list[str]:
    return [
        record["id"]
        for page in landed(manifest)
        if page.get("items") == items and "child" not in page
        for record in page["body"][items]
    ]


def received(manifest: Any) -> list[dict[str, Any]]:
    """Every record of HubSpot that was landed."""
    return [record for page in landed(manifest) if "child" not in page for record in page["body"]["results"]]


def records(manifest: Any) -> list[dict[str, Any]]:
    """The landed records, from lists or fetched one by one."""
    bodies = [page["body"] for page in landed(manifest) if "child" not in page]
    return [record for body in bodies for record in (body["data"] if body.get("object") == "list" else [body])]


def alive(world: Any, source: str, collection: str) -> set[str]:
    return {entry["id"] for entry in world.books(source, collection) if entry["deleted_at"] is None}


def test_every_invoice_and_every_line_is_read(world):
    manifest = Pipeline("stripe", "invoices").extract("2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    truth = {entry["id"]: entry["object"] for entry in world.books("stripe", "invoices") if entry["deleted_at"] is None}
    assert sorted(ids(manifest, "data")) == sorted(truth)
    assert manifest.records == len(truth)
    embedded = {
        record["id"]: record["lines"]["data"]
        for page in landed(manifest)
        if "child" not in page
        for record in page["body"]["data"]
    }
    followed: dict[str, list[Any]] = {}
    for page in landed(manifest):
        if page.get("child") == "invoice_lines":
            followed.setdefault(page["parent"], []).extend(page["body"]["data"])
    assert max(len(lines) for lines in followed.values()) >= 100, "the world has no invoice of 110 lines or more"
    for id_, invoice in truth.items():
        lines = [line["id"] for line in embedded[id_] + followed.get(id_, [])]
        assert sorted(lines) == sorted(line["id"] for line in invoice["lines"]["data"])


def test_cancelled_subscriptions_are_read(world):
    manifest = Pipeline("stripe", "subscriptions").extract(*HISTORY, "created")
    statuses = {record["status"] for page in landed(manifest) if "child" not in page for record in page["body"]["data"]}
    assert "canceled" in statuses


def test_the_change_feed_fetches_what_events_touched_and_notes_deletions(world):
    world.clock("2026-01-06T06:00:00Z")
    manifest = Pipeline("stripe", "customers").extract("2026-01-03T00:00:00Z", "2026-01-06T00:00:00Z")
    assert manifest.axis == "changed"
    truth = world.books("stripe", "customers")
    deleted = {entry["id"] for entry in truth if (entry["deleted_at"] or "") >= "2026-01-03"}
    assert deleted, "the world deletes no customer in these days"
    assert manifest.gone >= len(deleted)
    touched = {
        entry["id"] for entry in truth if "2026-01-03" <= entry["updated"] < "2026-01-06" and not entry["deleted_at"]
    }
    found = records(manifest)
    assert touched <= {record["id"] for record in found if not record.get("deleted")}
    assert deleted <= {record["id"] for record in found if record.get("deleted")}


def test_a_window_older_than_the_feed_is_listed_and_says_why(world):
    manifest = Pipeline("stripe", "customers").extract("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z")
    assert manifest.axis == "created"
    assert "older than the event feed" in manifest.axis_reason


def test_archived_contacts_are_listed_too(world):
    manifest = Pipeline("hubspot", "contacts").extract(*HISTORY)
    assert [record["id"] for record in received(manifest) if record["archived"]]
    assert alive(world, "hubspot", "contacts") <= set(ids(manifest, "results"))


def test_search_finds_exactly_what_changed(world):
    world.clock("2026-01-06T06:00:00Z")
    manifest = Pipeline("hubspot", "contacts").extract("2026-01-04T00:00:00Z", "2026-01-06T00:00:00Z")
    assert manifest.axis == "changed"
    live = {record["id"] for record in received(manifest) if not record["archived"]}
    expected = {
        entry["id"]
        for entry in world.books("hubspot", "contacts")
        if not entry["deleted_at"] and "2026-01-04" <= entry["object"]["properties"]["lastmodifieddate"] < "2026-01-06"
    }
    assert live == expected


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ({"kind": "rate_limit"}, 3),
        ({"kind": "html_500"}, 3),
        ({"kind": "unavailable"}, 3),
        ({"kind": "truncated"}, 2),
        ({"kind": "reset"}, 2),
    ],
)
def test_passing_faults_are_retried_and_counted(world, fault, count):
    clean = Pipeline("stripe", "customers").extract(*HISTORY, "created")
    world.fault("stripe", **fault, times=count, path="/v1/customers")
    waits: list[float] = []
    manifest = Pipeline("stripe", "customers").extract(*HISTORY, "created", sleep=waits.append)
    assert manifest.records == clean.records
    assert manifest.requests["retries"] == count == len(waits)
    assert len(set(waits)) == len(waits), "the backoff has no jitter"


def test_an_api_that_stays_down_fails_clearly_and_lands_no_manifest(world):
    world.fault("stripe", kind="unavailable", times=50, path="/v1/customers")
    with pytest.raises(ApiError, match=r"GET /v1/customers failed 7 times, last: 503.*connection stripe_default"):
        Pipeline("stripe", "customers").extract(*HISTORY, "created", name="down", sleep=lambda _: None)
    assert not bucket().blob("landing/stripe/customers/acme/down/manifest.json").exists()


def test_a_retry_goes_on_behind_the_last_finished_part(world, monkeypatch):
    """The attempt breaks right after its first part; the next one asks for no page again that is in it."""
    monkeypatch.setattr("tributary.landing.lake.PART_BYTES", 1)
    monkeypatch.setattr("tributary.landing.lake.BLOCK_BYTES", 1)

    def pages() -> int:
        return len([entry for entry in world.requests("stripe") if entry["path"] == "/v1/invoices"])

    whole = Pipeline("stripe", "invoices").extract(*HISTORY, "created")
    needed = pages()
    world.reset()

    class BreaksError(Exception):
        pass

    original = vars(extraction)["write_json"]

    def write(bucket_: Any, name: str, value: Any) -> None:
        original(bucket_, name, value)
        raise BreaksError

    monkeypatch.setattr(extraction, "write_json", write)
    with pytest.raises(BreaksError):
        Pipeline("stripe", "invoices").extract(*HISTORY, "created", name="resumed")
    monkeypatch.setattr(extraction, "write_json", original)
    before = pages()
    assert 0 < before < needed, "it broke too late to tell anything"
    manifest = Pipeline("stripe", "invoices").extract(*HISTORY, "created", name="resumed")
    assert sorted(ids(manifest, "data")) == sorted(ids(whole, "data"))
    assert manifest.records == whole.records
    assert pages() == needed, f"{before} pages before the break, {pages()} in all, {needed} needed"


@pytest.mark.parametrize(("source", "stream"), [("stripe", "customers"), ("hubspot", "owners")])
def test_a_wrong_credential_is_refused_at_once_without_showing_it(world, monkeypatch, source, stream):
    variable = f"AIRFLOW_CONN_{source.upper()}_DEFAULT"
    host = getattr(world, source)
    monkeypatch.setenv(variable, json.dumps({"conn_type": "http", "host": host, "password": "sk_test_wrong_key"}))
    with pytest.raises(RefusedError) as caught:
        Pipeline(source, stream).extract(*HISTORY)
    assert f"connection {source}_default" in str(caught.value)
    assert "password" in str(caught.value)
    assert "wrong_key" not in str(caught.value)


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (None, "connection stripe_default of client acme does not exist; set AIRFLOW_CONN_STRIPE_DEFAULT"),
        ({"conn_type": "http", "host": "http://127.0.0.1:1"}, "has no password"),
        ({"conn_type": "http", "password": "sk_test_x"}, "has no host"),
    ],
)
def test_a_missing_connection_names_what_to_set(services, monkeypatch, connection, message):
    if connection is None:
        monkeypatch.delenv("AIRFLOW_CONN_STRIPE_DEFAULT")
    else:
        monkeypatch.setenv("AIRFLOW_CONN_STRIPE_DEFAULT", json.dumps(connection))
    with pytest.raises(RefusedError, match=message):
        Pipeline("stripe", "customers").extract(*HISTORY)


def test_a_key_of_another_account_is_refused_before_anything_is_read(world):
    pipeline = Pipeline("stripe", "customers")
    pipeline.client = pipeline.client.model_copy(update={"account": "acct_other"})
    with pytest.raises(
        RefusedError, match="leads to Stripe account acct_tributary, but client acme is pinned to acct_other"
    ):
        pipeline.extract(*HISTORY)
    pipeline.client = pipeline.client.model_copy(update={"account": "acct_tributary", "livemode": True})
    with pytest.raises(RefusedError, match="holds a test mode key"):
        pipeline.extract(*HISTORY)
    assert not [request for request in world.requests("stripe") if request["path"] == "/v1/customers"]


def test_what_an_empty_window_means_is_the_contracts_to_say(world, tmp_path):
    """Nothing is landed where that means that something is wrong, so nothing is taken for deleted either."""
    window = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "created")
    assert Pipeline("stripe", "invoices").extract(*window).records == 0
    pipeline = Pipeline("stripe", "invoices", changed(tmp_path, empty_window="fail"))
    with pytest.raises(
        RefusedError, match=r"stripe.invoices for client acme: \[2024-01-01.* is empty, which its contract"
    ):
        pipeline.extract(*window, name="empty")
    assert bucket().get_blob("landing/stripe/invoices/acme/empty/manifest.json") is None
