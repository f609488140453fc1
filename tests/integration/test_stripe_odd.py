"""Answers of Stripe that are odd or too much: no record holds up its stream, and none is taken for another."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.test_extract import ids, records
from tests.support.altered import altered, in_json
from tests.support.pipeline import HISTORY, Pipeline, empty, query, warehouse
from tests.support.world import World
from tributary.api.client import ApiError, ShapeError
from tributary.errors import RefusedError
from tributary.warehouse.tables import ensure_tables

pytestmark = pytest.mark.emulators

DAYS = ("2026-01-03T00:00:00Z", "2026-01-06T00:00:00Z")
TERMS = {"name": "First", "percent_off": 15, "duration": "once", "valid": True}


@pytest.fixture
def narrow(world: World) -> Iterator[World]:
    """A world with something between the client and Stripe that lets through less than Stripe sends."""
    yield world
    world.settings("stripe", answer_limit=None, answer_limit_status=None, url_limit=None)


def rejects(stream: str) -> list[dict[str, Any]]:
    return query(f"select record_key, reason, column_path from ops.open_rejects where stream = '{stream}' order by 1")


def fresh(stream: str) -> Pipeline:
    """The stream with nothing loaded."""
    pipeline = Pipeline("stripe", stream)
    ensure_tables(warehouse(), pipeline.contract, {})
    empty(*(table.name for table in pipeline.contract.tables))
    query(f"delete from ops.rejects where stream = '{stream}'")
    return pipeline


# Ids that people choose


@pytest.mark.parametrize("id_", ["TEN#10", "5%XF", "%41", "a/b", "..", ".", "q?x=1&y", "two  blanks", "été 25", "+1;$"])
def test_an_id_that_people_chose_is_read_as_it_is(world: World, id_: str) -> None:
    pipeline = fresh("coupons")
    world.clock("2026-01-05T03:00:00Z")
    world.change("stripe", "coupons", _in_path(id_), **TERMS)
    world.clock("2026-01-06T03:00:00Z")
    world.change("stripe", "coupons", _in_path(id_), name="Second")
    world.clock("2026-01-06T06:00:00Z")
    pipeline.run("2026-01-06T00:00:00Z", "2026-01-06T06:00:00Z", "changed")
    sql = f"select id, _deleted_at is null as alive, name from raw.stripe_coupons where id = '{id_}'"
    assert query(sql) == [{"id": id_, "alive": True, "name": "Second"}]


def _in_path(id_: str) -> str:
    return quote(id_, safe="").replace(".", "%2E") if set(id_) == {"."} else quote(id_, safe="")


def test_a_coupon_is_not_read_in_the_place_of_its_neighbour(world: World) -> None:
    pipeline = fresh("coupons")
    world.clock("2026-01-05T03:00:00Z")
    for id_ in ("VIP", "VIP?", "VIP/", "VIP#"):
        world.change("stripe", "coupons", quote(id_, safe=""), **TERMS)
    world.clock("2026-01-06T03:00:00Z")
    for id_ in ("VIP?", "VIP/", "VIP#"):
        world.delete("stripe", "coupons", quote(id_, safe=""))
    world.clock("2026-01-06T06:00:00Z")
    pipeline.run("2026-01-05T00:00:00Z", "2026-01-06T06:00:00Z", "changed")
    found = query("select id from raw.stripe_coupons where id like 'VIP%' and _deleted_at is null")
    assert found == [{"id": "VIP"}]


# More than can be delivered


@pytest.mark.parametrize("status", [None, 500, 504])
@pytest.mark.parametrize("stream", ["invoices", "subscriptions"])
def test_a_page_that_is_too_heavy_is_asked_for_in_smaller_pieces(
    narrow: World, stream: str, status: int | None
) -> None:
    whole = Pipeline("stripe", stream).extract(*HISTORY, "created")
    narrow.settings("stripe", answer_limit=200_000, answer_limit_status=status)
    pieces = Pipeline("stripe", stream).extract(*HISTORY, "created", sleep=lambda _: None)
    assert sorted(ids(pieces, "data")) == sorted(ids(whole, "data"))
    assert (pieces.records, pieces.children) == (whole.records, whole.children)
    assert 0 < pieces.requests["retries"] < pieces.requests["requests"] / 2, "it has learnt from the first refusals"


def test_a_record_that_comes_without_its_expansions_only_is_set_aside(narrow: World) -> None:
    """Its amounts would be right and its discounts nameless; the others are loaded."""
    pipeline = fresh("invoices")
    heavy = next(e["id"] for e in narrow.books("stripe", "invoices") if not e["deleted_at"] and e["created"] < "2026")
    discount = {"id": "di_heavy", "object": "discount", "source": {"coupon": "X" * 80_000, "type": "coupon"}}

    def grow(page: Any) -> None:
        for invoice in page["data"]:
            if invoice["id"] == heavy and any(
                isinstance(d["discount"], dict) for d in invoice["total_discount_amounts"]
            ):
                invoice["total_discount_amounts"][0]["discount"] = discount

    narrow.change(
        "stripe", "invoices", heavy, total_discount_amounts=[{"amount": 1, "discount": _any_discount(narrow)}]
    )
    with altered("stripe", in_json("/v1/invoices", grow)), altered("stripe", _cut_off_at(60_000)):
        landing = pipeline.extract("2024-07-01T00:00:00Z", "2026-01-01T00:00:00Z", "created", sleep=lambda _: None)
    counts = pipeline.load(landing)["stripe_invoices"]
    assert counts["rejected"] == 1
    assert rejects("invoices") == [{"record_key": heavy, "reason": "unreadable", "column_path": ""}]


def _any_discount(world: World) -> str:
    return str(next(entry["id"] for entry in world.books("stripe", "discounts") if not entry["deleted_at"]))


def _cut_off_at(size: int) -> Any:
    return lambda _path, body: body[:size]


@pytest.mark.parametrize("axis", ["created", "changed"])
def test_a_nested_list_that_stays_unreadable_sets_its_record_aside(world: World, axis: str) -> None:
    pipeline = fresh("invoices")
    window = HISTORY if axis == "created" else DAYS
    world.clock("2026-01-06T06:00:00Z")
    cut = [
        entry["id"]
        for entry in world.books("stripe", "invoices")
        if entry["object"]["lines"]["total_count"] > 10 and not entry["deleted_at"]
    ]
    if axis == "changed":
        for id_ in cut[:2]:
            world.change("stripe", "invoices", id_, description="touched")
        window = ("2026-01-06T00:00:00Z", "2026-01-06T06:30:00Z")
        world.clock("2026-01-06T07:00:00Z")
    bad = cut[0]
    world.fault("stripe", kind="html_500", times=500, path=f"/v1/invoices/{bad}/lines")
    landing = pipeline.extract(*window, axis, sleep=lambda _: None)
    counts = pipeline.load(landing)
    assert counts["stripe_invoices"]["rejected"] == 1
    assert counts["stripe_invoices"]["loaded"] == counts["stripe_invoices"]["received"] - 1 > 0
    assert landing.requests["records set aside"] == 1
    assert rejects("invoices") == [{"record_key": bad, "reason": "unreadable", "column_path": "lines"}]
    assert not query(f"select id from raw.stripe_invoice_lines where invoice_id = '{bad}'"), "half of its lines"
    world.reset()
    world.clock("2026-01-06T07:00:00Z")
    pipeline.run(*window, axis)
    assert rejects("invoices") == []
    [loaded] = query(f"select count(*) as n from raw.stripe_invoice_lines where invoice_id = '{bad}'")
    assert loaded["n"] > 10


def test_a_list_with_another_number_of_items_than_it_says_is_read_once_more(world: World) -> None:
    """It was changed meanwhile: the record is read again by itself."""
    pipeline = fresh("invoices")
    wrong: list[str] = []

    def miscount(page: Any) -> None:
        for invoice in page["data"]:
            if invoice["lines"]["has_more"] and not wrong:
                invoice["lines"]["total_count"] += 1
                wrong.append(invoice["id"])

    with altered("stripe", in_json("/v1/invoices", miscount)):
        landing = pipeline.extract(*HISTORY, "created")
    counts = pipeline.load(landing)["stripe_invoices"]
    assert (counts["rejected"], counts["received"]) == (1, counts["loaded"] + 1)
    assert rejects("invoices") == [], "what came after it settles it"
    [loaded] = query(f"select count(*) as n from raw.stripe_invoice_lines where invoice_id = '{wrong[0]}'")
    assert loaded["n"] > 10


def test_a_record_that_is_deleted_before_its_nested_list_is_read_is_gone(world: World) -> None:
    """A draft is thrown away between the page that holds it and the eleventh of its lines."""
    pipeline = fresh("invoices")
    draft = next(
        entry["id"]
        for entry in world.books("stripe", "invoices")
        if entry["object"]["lines"]["total_count"] > 10 and not entry["deleted_at"]
    )
    pipeline.run(*HISTORY, "created")
    world.fault("stripe", kind="delete_between_pages", times=1, path="/v1/invoices", id=draft)
    landing = pipeline.extract(*HISTORY, "created")
    pipeline.load(landing)
    assert query(f"select _deleted_at is null as alive from raw.stripe_invoices where id = '{draft}'") == [
        {"alive": False}
    ]
    assert rejects("invoices") == []
    alive = f"select count(*) as n from raw.stripe_invoice_lines where invoice_id = '{draft}' and _deleted_at is null"
    assert query(alive) == [{"n": 0}]


def test_an_api_that_fails_everywhere_is_not_taken_for_bad_records(world: World) -> None:
    world.clock("2026-01-06T06:00:00Z")
    world.fault("stripe", kind="html_500", times=10_000, path="/v1/invoices/in_")
    with pytest.raises(ApiError, match=r"so it was with 10 records before"):
        Pipeline("stripe", "invoices").extract(*DAYS, "changed", sleep=lambda _: None)


def test_a_cursor_that_repeats_is_named(world: World) -> None:
    world.fault("stripe", kind="duplicate_page", times=50, path="/v1/charges")
    with pytest.raises(ApiError, match=r"pages behind (ch_\w+) that end again and again with \1: .* in a circle"):
        Pipeline("stripe", "charges").extract(*HISTORY, "created")


def test_event_types_that_are_too_many_for_a_url_are_asked_for_by_half(narrow: World) -> None:
    narrow.clock("2026-01-06T06:00:00Z")
    whole = Pipeline("stripe", "invoices").extract(*DAYS, "changed")
    longest = max(len(r["path"] + r["query"]) for r in narrow.requests("stripe") if r["path"] == "/v1/events")
    narrow.settings("stripe", url_limit=longest // 3)
    halves = Pipeline("stripe", "invoices").extract(*DAYS, "changed")
    assert sorted(record["id"] for record in records(halves)) == sorted(record["id"] for record in records(whole))


# Heads that are not as the API says


@pytest.mark.parametrize(
    ("field", "value", "outcome"),
    [
        ("created", "1767500000", "any"),
        ("created", 1767500000.0, "any"),
        ("created", {"at": 1}, "rejected"),
        ("id", 70_011, "any"),
        ("id", None, "rejected"),
        ("id", "", "any"),
        ("id", ["prod_x"], "rejected"),
        ("deleted", "yes", "any"),
        ("deleted", {"on": 1}, "any"),
    ],
)
def test_one_odd_head_does_not_hold_up_its_page(world: World, field: str, value: Any, outcome: str) -> None:
    pipeline = fresh("products")

    def make_odd(page: Any) -> None:
        page["data"][len(page["data"]) // 2][field] = value

    with altered("stripe", in_json("/v1/products", make_odd)):
        landing = pipeline.extract(*HISTORY, "created")
    counts = pipeline.load(landing)["stripe_products"]
    assert counts["received"] == counts["loaded"] + counts["rejected"] > 3
    assert counts["rejected"] in ((1,) if outcome == "rejected" else (0, 1))


@pytest.mark.parametrize("lines", [None, "many", ["il_1"], {"data": [], "has_more": "no"}, {"data": [{"id": 5}]}])
def test_a_nested_list_that_is_something_else_does_not_hold_up_its_page(world: World, lines: Any) -> None:
    pipeline = fresh("invoices")

    def make_odd(page: Any) -> None:
        page["data"][0]["lines"] = lines

    with altered("stripe", in_json("/v1/invoices", make_odd)):
        landing = pipeline.extract("2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z", "created")
    counts = pipeline.load(landing)["stripe_invoices"]
    assert counts["received"] == counts["loaded"] + counts["rejected"] > 1


def test_an_event_that_names_nothing_is_passed_by(world: World) -> None:
    world.clock("2026-01-06T06:00:00Z")
    whole = Pipeline("stripe", "products").extract(*DAYS, "changed")
    odd = [{"id": 7, "type": None, "created": "1767500000", "data": {"object": {}}}, {"id": "evt_x", "created": None}]

    def add(page: Any) -> None:
        page["data"][:0] = odd

    with altered("stripe", in_json("/v1/events", add)):
        found = Pipeline("stripe", "products").extract(*DAYS, "changed")
    assert found.records == whole.records


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda page: {**page, "data": None}, r"\$\.data"),
        (lambda page: {**page, "data": ["prod_1"]}, r"\$\.data\[0\]"),
        (lambda page: {"object": "list", "data": page["data"]}, "has_more"),
        (lambda page: {"message": "please sign in"}, "data"),
    ],
)
def test_json_of_another_shape_is_told_with_its_path_and_not_asked_for_again(
    world: World, change: Any, told: str
) -> None:
    waits: list[float] = []
    with (
        altered("stripe", in_json("/v1/products", change)),
        pytest.raises(ShapeError, match=rf"GET /v1/products with connection stripe_default: .*{told}") as caught,
    ):
        Pipeline("stripe", "products").extract(*HISTORY, "created", sleep=waits.append)
    assert waits == []
    assert "sign in" not in str(caught.value)


# What a listing may bury


def test_a_listing_that_is_empty_by_mistake_buries_nothing_that_is_never_deleted(world: World) -> None:
    world.clock("2026-01-06T06:00:00Z")
    hours = ("2026-01-05T06:00:00Z", "2026-01-05T12:00:00Z")
    for stream in ("balance_transactions", "charges"):
        pipeline = fresh(stream)
        received = pipeline.run(*hours, "created")[f"stripe_{stream}"]["received"]
        assert 0 < received <= 10, "few enough for a share to say nothing"
        nothing = in_json(f"/v1/{stream}", lambda page: {**page, "data": [], "has_more": False})
        with altered("stripe", nothing), pytest.raises(RefusedError, match="no longer listed"):
            pipeline.run(*hours, "created")
        [alive] = query(f"select countif(_deleted_at is null) as n from raw.stripe_{stream}")
        assert alive["n"] == received
