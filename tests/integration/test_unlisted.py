"""Records that exist and that no list holds: read by id, and gone only when an answer about them says so."""

from typing import Any

import msgspec
import pytest

from tests.support.pipeline import Pipeline, empty, query, warehouse
from tests.support.world import World
from tributary.ledger import unlisted
from tributary.ledger.unlisted import wanted_ids
from tributary.sources.base import Checkpoint
from tributary.warehouse.tables import ensure_tables
from tributary.windows import Window, parse

pytestmark = pytest.mark.emulators

HISTORY = ("2024-07-01T00:00:00Z", "2026-01-06T00:00:00Z")
MONTHLY = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}


@pytest.fixture(autouse=True)
def fresh(world: World) -> None:
    for stream in ("prices", "products", "coupons", "customers", "subscriptions", "invoices"):
        contract = Pipeline("stripe", stream).contract
        ensure_tables(warehouse(), contract, {})
        empty(*(table.name for table in contract.tables))
        query(f"delete from ops.ledger where stream = '{stream}'")


def inline_price(world: World, id_: str, **fields: Any) -> None:
    """A price as Stripe makes it of `price_data`: it can be read by its id and is in no list."""
    product = next(e["id"] for e in world.books("stripe", "products") if not e["deleted_at"])
    terms: dict[str, Any] = {
        "product": product, "currency": "eur", "unit_amount": 2750, "unit_amount_decimal": "2750", "active": False,
        "type": "recurring", "billing_scheme": "per_unit", "recurring": MONTHLY,
    }  # fmt: skip
    world.change("stripe", "prices", id_, _unlisted=True, **terms | fields)


def run(pipeline: Pipeline, window: tuple[str, str], axis: str, salt: str = "") -> dict[str, Any]:
    """As the DAG does it: what has to be read by id goes along."""
    ids = wanted_ids(warehouse(), pipeline.contract, pipeline.client, salt, {})
    planned = pipeline.item
    pipeline.item = lambda *a, **k: msgspec.structs.replace(planned(*a, **k), ids=ids)  # type: ignore[method-assign]
    try:
        return pipeline.run(*window, axis)[f"stripe_{pipeline.contract.stream}"]
    finally:
        pipeline.item = planned  # type: ignore[method-assign]


def alive(stream: str, id_: str) -> list[bool]:
    rows = query(f"select _deleted_at is null as alive from raw.stripe_{stream} where id = '{id_}'")
    return [row["alive"] for row in rows]


def test_a_list_that_leaves_a_price_out_buries_it_neither_at_once_nor_weekly(world: World) -> None:
    world.clock("2026-01-05T03:00:00Z")
    inline_price(world, "price_inline")
    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "prices")
    run(pipeline, ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"), "changed")
    assert alive("prices", "price_inline") == [True]
    run(pipeline, HISTORY, "created")
    assert alive("prices", "price_inline") == [True]


def test_one_that_is_gone_is_found_by_asking_for_it(world: World) -> None:
    """Its deletion was announced when nobody listened."""
    world.clock("2026-01-05T03:00:00Z")
    inline_price(world, "price_kept")
    inline_price(world, "price_gone")
    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "prices")
    run(pipeline, ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"), "changed")
    world.delete("stripe", "prices", "price_gone")
    run(pipeline, HISTORY, "created")
    doubtful = wanted_ids(warehouse(), pipeline.contract, pipeline.client, "", {})
    hidden = {e["id"] for e in world.books("stripe", "prices") if e["object"].get("_unlisted")}
    assert {"price_gone", "price_kept"} <= set(doubtful) <= hidden, "what the list left out, and nothing that it held"
    counts = run(pipeline, ("2026-01-06T00:00:00Z", "2026-01-06T01:00:00Z"), "created")
    assert (counts["gone"], counts["tombstoned"]) == (1, 1)
    assert (alive("prices", "price_kept"), alive("prices", "price_gone")) == ([True], [False])
    assert wanted_ids(warehouse(), pipeline.contract, pipeline.client, "", {}) == (), "answered, until the next listing"


def test_what_items_name_and_no_list_holds_is_read_by_id(world: World) -> None:
    """The price was there before the first load, so no event within reach tells of it."""
    world.clock("2026-01-05T03:00:00Z")
    inline_price(world, "price_old")
    world.clock("2026-01-06T06:00:00Z")
    prices = Pipeline("stripe", "prices")
    run(prices, HISTORY, "created")
    assert alive("prices", "price_old") == []
    run(Pipeline("stripe", "subscriptions"), HISTORY, "created")
    query(
        "update raw.stripe_subscription_items set price_id = 'price_old' where id = "
        "(select min(id) from raw.stripe_subscription_items where _deleted_at is null)"
    )
    query(
        "update raw.stripe_subscription_items set price_id = 'price_never' where id = "
        "(select max(id) from raw.stripe_subscription_items where _deleted_at is null)"
    )
    assert wanted_ids(warehouse(), prices.contract, prices.client, "", {}) == ("price_never", "price_old")
    counts = run(prices, ("2026-01-06T00:00:00Z", "2026-01-06T01:00:00Z"), "changed")
    assert alive("prices", "price_old") == [True]
    assert alive("prices", "price_never") == [], "nothing is made up for what is not there"
    assert (counts["received"], counts["gone"]) == (1, 1)


def test_no_run_asks_for_more_than_so_many_and_each_for_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlisted, "MOST", 3)
    world.clock("2026-01-06T06:00:00Z")
    run(Pipeline("stripe", "subscriptions"), HISTORY, "created")
    prices = Pipeline("stripe", "prices")
    named = {row["id"] for row in query("select distinct price_id as id from raw.stripe_subscription_items")}
    chosen = [wanted_ids(warehouse(), prices.contract, prices.client, f"run {n}", {}) for n in range(6)]
    assert {len(ids) for ids in chosen} == {3}
    assert len(set().union(*chosen)) > 6
    assert set().union(*chosen) <= named
    assert chosen[0] == wanted_ids(warehouse(), prices.contract, prices.client, "run 0", {}), (
        "a retry asks for the same"
    )


def test_an_object_on_a_test_clock_is_not_buried_by_lists_that_leave_it_out(world: World) -> None:
    world.clock("2026-01-05T03:00:00Z")
    some = next(e for e in world.books("stripe", "customers") if not e["deleted_at"])["id"]
    world.change("stripe", "customers", "cus_on_clock", name="Clock", test_clock="clock_1")
    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "customers")
    run(pipeline, ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"), "changed")
    assert alive("customers", "cus_on_clock") == [True]
    run(pipeline, HISTORY, "created")
    assert (alive("customers", "cus_on_clock"), alive("customers", some)) == ([True], [True])
    world.delete("stripe", "customers", "cus_on_clock")
    assert wanted_ids(warehouse(), pipeline.contract, pipeline.client, "", {}) == ("cus_on_clock",)
    run(pipeline, ("2026-01-06T00:00:00Z", "2026-01-06T01:00:00Z"), "created")
    assert alive("customers", "cus_on_clock") == [False]


def test_the_plan_hands_the_ids_to_one_task(world: World) -> None:
    from tributary.landing.plan import Wish
    from tributary.operators.ingest.plan_ingest import PlanOperator

    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "prices")
    operator = PlanOperator(task_id="plan", source="stripe", stream="prices")
    wish = Wish(window=Window(parse(HISTORY[0]), parse(HISTORY[1])), explicit=True, axis="created", chunk_days=200)
    planned = operator._items(pipeline.contract, pipeline.client, wish, [], ("price_a", "price_b"))
    assert [list(item["ids"]) for item in planned] == [[]] * (len(planned) - 1) + [["price_a", "price_b"]]
    assert len(planned) > 2


def test_an_attempt_that_goes_on_does_not_read_them_again(world: World) -> None:
    from tributary.contracts.model import Axis
    from tributary.hooks.api import ApiHook

    world.clock("2026-01-05T03:00:00Z")
    inline_price(world, "price_one")
    world.clock("2026-01-06T06:00:00Z")
    pipeline = Pipeline("stripe", "prices")
    api, _ = ApiHook(pipeline.source, pipeline.client).client()

    def walk(cursor: dict[str, Any]) -> list[Any]:
        window = Window(parse(HISTORY[0]), parse(HISTORY[1]))
        ids = ("price_one", "price_none")
        return list(pipeline.source.walk(api, pipeline.contract, Axis.CREATED, window, pipeline.client, cursor, ids))

    one, none, named, *listed = walk({})
    assert (b"price_one" in bytes(one.body), none.gone) == (True, True)
    assert (named.records, named.gone) == (1, 1)
    assert [step.cursor for step in walk(named.cursor) if isinstance(step, Checkpoint)] == [
        step.cursor for step in listed if isinstance(step, Checkpoint)
    ]
    world.reset()
    world.clock("2026-01-06T06:00:00Z")
    walk(named.cursor)
    assert {entry["path"] for entry in world.requests("stripe")} == {"/v1/prices"}
