"""The official SDK lists, pages, expands and retrieves every stream, and sees what the books say."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import stripe
import uvicorn

from simulators.server import create_apps
from simulators.simulation import STRIPE_KEY, Simulation
from simulators.stripe.present import present
from simulators.world.build import STRIPE_COLLECTIONS, World
from simulators.world.moments import DAY
from simulators.world.resources import Resources
from tests.simulators.conftest import DEMO, Clients

# 250 lines on an invoice, and a coupon that has been deleted, come with the first day after the demo's start.
AT = DEMO + DAY


@pytest.fixture(scope="module")
def client(small_world: World) -> Iterator[stripe.StripeClient]:
    app, _ = create_apps(Simulation(small_world, AT))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        yield stripe.StripeClient(STRIPE_KEY, base_addresses={"api": url}, max_network_retries=0)
        server.should_exit = True
        thread.join(10)


def plain(value: Any) -> Any:
    """The SDK's objects as they came: it makes numbers of decimal strings."""
    if isinstance(value, stripe.StripeObject):
        value = value.to_dict()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


@pytest.fixture(scope="module")
def books(small_world: World) -> Iterator[dict[str, dict[str, Any]]]:
    """Collection -> id -> the live object, in full."""
    clients = Clients(Simulation(small_world, AT))
    yield {
        name: {line["id"]: line["object"] for line in clients.books(name) if not line["deleted_at"]}
        for name in STRIPE_COLLECTIONS
    }


def shown(shape: dict[str, Any]) -> dict[str, Any]:
    return present(Resources(), shape)


@pytest.mark.parametrize("name", STRIPE_COLLECTIONS)
def test_paging_sees_the_books(client: stripe.StripeClient, books: dict[str, dict[str, Any]], name: str) -> None:
    params: dict[str, Any] = {"limit": 37, **({"status": "all"} if name == "subscriptions" else {})}
    found = [plain(shape) for shape in getattr(client.v1, name).list(params).auto_paging_iter()]
    assert len(found) == len(books[name]) > 0
    assert {shape["id"]: shape for shape in found} == {id: shown(shape) for id, shape in books[name].items()}


@pytest.mark.parametrize("name", STRIPE_COLLECTIONS)
def test_retrieving_sees_the_books(client: stripe.StripeClient, books: dict[str, dict[str, Any]], name: str) -> None:
    for id, shape in list(books[name].items())[::25]:
        assert plain(getattr(client.v1, name).retrieve(id)) == shown(shape)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        getattr(client.v1, name).retrieve("nothing_of_that_name")
    assert caught.value.code == "resource_missing"


def test_inner_lists_to_the_end(client: stripe.StripeClient, books: dict[str, dict[str, Any]]) -> None:
    sizes = set()
    for id, invoice in books["invoices"].items():
        if invoice["lines"]["total_count"] >= 10:
            lines = [plain(line) for line in client.v1.invoices.line_items.list(id, {"limit": 100}).auto_paging_iter()]
            assert lines == invoice["lines"]["data"]
            sizes.add(len(lines))
    assert {10, 11, 101, 120, 250} <= sizes
    for id, note in books["credit_notes"].items():
        lines = [plain(line) for line in client.v1.credit_notes.line_items.list(id).auto_paging_iter()]
        assert lines == note["lines"]["data"]
    for id, subscription in books["subscriptions"].items():
        items = client.v1.subscription_items.list({"subscription": id, "limit": 6}).auto_paging_iter()
        assert [plain(item) for item in items] == subscription["items"]["data"]
    item = subscription["items"]["data"][0]
    assert plain(client.v1.subscription_items.retrieve(item["id"])) == item


def test_embedded_lists_page_on_by_themselves(client: stripe.StripeClient, books: dict[str, dict[str, Any]]) -> None:
    invoice = next(i for i in books["invoices"].values() if i["lines"]["total_count"] == 250)
    first = client.v1.invoices.retrieve(invoice["id"])
    assert len(first.lines.data) == 10
    assert [plain(line) for line in first.lines.auto_paging_iter()] == invoice["lines"]["data"]


def test_expanding(client: stripe.StripeClient, books: dict[str, dict[str, Any]]) -> None:
    for charge in client.v1.charges.list({"expand": ["data.customer", "data.balance_transaction", "data.refunds"]}):
        given = plain(charge)
        customer, transaction = given["customer"], given["balance_transaction"]
        assert customer == books["customers"].get(customer["id"], {**customer, "deleted": True})
        assert transaction is None or transaction == books["balance_transactions"][transaction["id"]]
        mine = [refund for refund in books["refunds"].values() if refund["charge"] == given["id"]]
        assert sorted(r["id"] for r in given["refunds"]["data"]) == sorted(r["id"] for r in mine)
    prices = client.v1.prices.list({"expand": ["data.tiers"], "limit": 100}).auto_paging_iter()
    assert {price.id: plain(price) for price in prices} == books["prices"]
    notes = client.v1.credit_notes.list({"expand": ["data.invoice", "data.refunds.refund"], "limit": 100})
    for note in notes.auto_paging_iter():
        given = plain(note)
        assert given["invoice"] == shown(books["invoices"][given["invoice"]["id"]])
        for part in given["refunds"]:
            assert part["refund"] == books["refunds"][part["refund"]["id"]]
    subscriptions = client.v1.subscriptions.list({"status": "all", "expand": ["data.discounts.source.coupon"]})
    coupons = [d["source"]["coupon"] for s in subscriptions.auto_paging_iter() for d in plain(s)["discounts"]]
    assert coupons
    assert all(coupon == books["coupons"][coupon["id"]] for coupon in coupons)


def test_events(client: stripe.StripeClient, small_world: World) -> None:
    ids = [event.id for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
    assert len(ids) == len(set(ids)) == len(small_world.store.events_between(AT - 30 * DAY, AT))
    event = client.v1.events.retrieve(ids[7])
    assert event.api_version == stripe.api_version or event.api_version == "2026-10-28.endive"


def test_a_deleted_customer(client: stripe.StripeClient, small_world: World) -> None:
    gone = next(r.id for r in small_world.store["customers"].records.values() if r.at(AT) and r.at(AT).gone)  # type: ignore[union-attr]
    assert client.v1.customers.retrieve(gone).deleted is True


def test_errors(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.charges.list({"starting_after": "ch_nobody"})
    assert (caught.value.code, caught.value.param) == ("resource_missing", "starting_after")
    other = stripe.StripeClient("sk_test_wrong", base_addresses=client._requestor.base_addresses)
    with pytest.raises(stripe.AuthenticationError):
        other.v1.charges.list()
