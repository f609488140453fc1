"""The Stripe source against the simulator: what others lose, this one must not."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.test_extract import ids, landed, records
from tests.support.pipeline import HISTORY, Pipeline
from tributary.api.client import ApiError
from tributary.errors import RefusedError
from tributary.sources.stripe.listing import extent
from tributary.windows import Window, parse

pytestmark = pytest.mark.emulators

DAYS = ("2026-01-03T00:00:00Z", "2026-01-06T00:00:00Z")


def asked(world: Any, prefix: str) -> list[str]:
    return [entry["path"] for entry in world.requests("stripe") if entry["path"].startswith(prefix)]


def test_what_the_window_created_is_listed_and_only_the_rest_fetched(world):
    world.clock("2026-01-06T06:00:00Z")
    manifest = Pipeline("stripe", "invoices").extract(*DAYS, "changed")
    created = {entry["id"] for entry in world.books("stripe", "invoices") if DAYS[0] <= entry["created"] < DAYS[1]}
    fetched = {path.rsplit("/", 1)[-1] for path in asked(world, "/v1/invoices/in_") if not path.endswith("/lines")}
    found = {record["id"] for record in records(manifest)}
    gone = {record["id"] for page in landed(manifest) if page.get("gone") for record in [page["body"]]}
    assert len(created) > 5
    assert created <= found | gone
    assert len(asked(world, "/v1/invoices")) - len(asked(world, "/v1/invoices/")) == 1, (
        "one page holds what was created"
    )
    assert fetched & created <= gone | {entry for entry in fetched if entry in gone}, "listed, and fetched all the same"
    assert Counter(record["id"] for record in records(manifest)).most_common(1)[0][1] == 1


@pytest.mark.parametrize("fetched", [0, 3])
def test_an_interrupted_feed_goes_on_and_holds_the_same(world, monkeypatch, fetched):
    """The listing was finished by the attempt that broke; the next one fetches whatever the feed names."""
    world.clock("2026-01-06T06:00:00Z")
    monkeypatch.setattr("tributary.landing.lake.PART_BYTES", 1)
    monkeypatch.setattr("tributary.landing.lake.BLOCK_BYTES", 1)
    pipeline = Pipeline("stripe", "invoices")
    whole = {record["id"] for record in records(pipeline.extract(*DAYS, "changed"))}
    world.fault("stripe", kind="unavailable", times=50, path="/v1/invoices/in_", after=fetched)
    name = f"feedresumed{fetched}"
    with pytest.raises(ApiError, match="failed 7 times"):
        pipeline.extract(*DAYS, "changed", name=name, sleep=lambda _: None)
    world.reset()
    world.clock("2026-01-06T06:00:00Z")
    manifest = pipeline.extract(*DAYS, "changed", name=name)
    assert {record["id"] for record in records(manifest)} == whole
    assert len(asked(world, "/v1/invoices")) > 0


def test_a_page_that_comes_again_is_asked_for_anew(world):
    clean = Pipeline("stripe", "invoices").extract(*HISTORY, "created")
    world.fault("stripe", kind="duplicate_page", times=2, path="/v1/invoices")
    manifest = Pipeline("stripe", "invoices").extract(*HISTORY, "created")
    assert sorted(ids(manifest, "data")) == sorted(ids(clean, "data"))
    assert manifest.requests["repeated pages"] == 2


def test_an_empty_page_that_promises_more_is_not_the_end(world):
    clean = Pipeline("stripe", "customers").extract(*HISTORY, "created")
    world.fault("stripe", kind="empty_page", times=1, path="/v1/customers")
    manifest = Pipeline("stripe", "customers").extract(*HISTORY, "created")
    assert manifest.records == clean.records


def test_paging_in_a_circle_fails_and_says_so(world):
    world.fault("stripe", kind="duplicate_page", times=50, path="*/invoices")
    with pytest.raises(ApiError, match=r"GET /v1/invoices .* runs in a circle .*connection stripe_default"):
        Pipeline("stripe", "invoices").extract(*HISTORY, "created")


def test_a_cursor_that_vanished_starts_the_window_again(world):
    world.fault("stripe", kind="delete_between_pages", times=1, path="/v1/invoices")
    manifest = Pipeline("stripe", "invoices").extract(*HISTORY, "created")
    alive = {
        entry["id"]
        for entry in world.books("stripe", "invoices")
        if not entry["deleted_at"] and entry["created"] < HISTORY[1]
    }
    assert sorted(ids(manifest, "data")) == sorted(alive)


def test_a_window_that_the_feed_has_forgotten_is_refused(world):
    with pytest.raises(RefusedError, match=r"where the event feed ends; nothing was read. Clear the plan task"):
        Pipeline("stripe", "invoices").extract("2025-11-01T00:00:00Z", "2025-11-02T00:00:00Z", "changed")


def test_a_path_that_does_not_exist_is_not_taken_for_a_deletion(world):
    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "invoices")
    request = {**pipeline.contract.request, "path": "/v1/invoicez"}
    pipeline.contract = pipeline.contract.model_copy(update={"request": request})
    for axis in ("changed", "created"):
        with pytest.raises(RefusedError, match="GET /v1/invoicez"):
            pipeline.extract(*DAYS, axis)


def test_the_oldest_record_is_found_without_reading_the_history(world):
    from tributary.hooks.api import ApiHook

    pipeline = Pipeline("stripe", "invoices")
    api, _ = ApiHook(pipeline.source, pipeline.client).client()
    found = extent(api, pipeline.contract, Window(parse("2010-01-01"), parse("2026-01-04")))
    truth = [
        parse(entry["created"])
        for entry in world.books("stripe", "invoices")
        if not entry["deleted_at"] and entry["created"] < "2026-01-04"
    ]
    assert found is not None
    assert min(truth) <= found.oldest <= min(truth) + timedelta(days=1)
    assert len(truth) / 4 < found.records < len(truth) * 4
    assert api.counts["requests"] < 20
    assert extent(api, pipeline.contract, Window(parse("2010-01-01"), parse("2011-01-01"))) is None


def test_the_requests_of_a_load_are_in_the_ledger(world):
    from tests.support.pipeline import query

    pipeline = Pipeline("stripe", "products")
    landing = pipeline.extract(*HISTORY, "created")
    pipeline.load(landing)
    [row] = query(
        "select requests from ops.ledger where table_name = 'stripe_products' "
        f"and extraction_id = '{landing.extraction_id}'"
    )
    assert row["requests"] == landing.requests["requests"] >= 2
    today = datetime.now(UTC).date()
    usage = query(
        f"select requests from ops.api_usage where source = 'stripe' and client_id = 'acme' and day = date '{today}'"
    )
    assert usage[0]["requests"] >= row["requests"]


def test_an_id_that_is_given_out_again_years_later_stays_one_row(world):
    """People choose a coupon's id. The new one was created in another partition than the old one lies in."""
    from tests.support.pipeline import query

    pipeline = Pipeline("stripe", "coupons")
    old = int(datetime(2022, 2, 1, tzinfo=UTC).timestamp())
    world.change("stripe", "coupons", "AGAIN", created=old, name="Old", percent_off=10, duration="once", valid=True)
    world.clock("2026-01-05T00:00:00Z")
    pipeline.run("2022-01-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    world.clock("2026-01-08T03:00:00Z")
    world.delete("stripe", "coupons", "AGAIN")
    world.clock("2026-01-08T04:00:00Z")
    world.change("stripe", "coupons", "AGAIN", name="New", percent_off=20, duration="once", valid=True)
    world.clock("2026-01-09T06:00:00Z")
    # An hour in which no other coupon is deleted: such a notice has every old row looked for anyway.
    pipeline.run("2026-01-08T03:30:00Z", "2026-01-08T04:30:00Z", "changed")
    rows = query("select name, _deleted_at is null as alive from raw.stripe_coupons where id = 'AGAIN'")
    assert rows == [{"name": "New", "alive": True}]
    # No other test expects something that old.
    world.reset()
    world.delete("stripe", "coupons", "AGAIN")
