"""Stripe's rules for lists, single objects, keys and errors."""

from __future__ import annotations

import json
import operator
from typing import Any

import pytest
from stripe.params import PayoutListParams

from simulators.limits import Limits, Window
from simulators.simulation import Simulation
from simulators.world.account import Account
from simulators.world.build import STRIPE_COLLECTIONS, World, build
from simulators.world.moments import DAY, SECOND, instant, parse
from simulators.world.resources import RESOURCES, Resources
from tests.simulators.conftest import API, DEMO, Clients
from tests.support.stripe_sdk import parameters


def error(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()["error"]
    return found


@pytest.mark.parametrize("name", STRIPE_COLLECTIONS)
def test_a_walk_sees_every_live_object_once_newest_first(clients: Clients, name: str) -> None:
    params = {"status": "all"} if name == "subscriptions" else {}
    found = clients.walk(f"/v1/{name}", **params)
    created = [shape["created"] for shape in found]
    assert created == sorted(created, reverse=True)
    expected = {line["id"] for line in clients.books(name) if not line["deleted_at"]}
    ids = [shape["id"] for shape in found]
    assert set(ids) == expected
    assert len(ids) == len(expected)


def test_small_pages_and_both_cursors(clients: Clients) -> None:
    whole = [shape["id"] for shape in clients.walk("/v1/customers")]
    page = clients.stripe.get("/v1/customers").json()
    assert [shape["id"] for shape in page["data"]] == whole[:10]
    assert page["has_more"] is True
    assert page["url"] == "/v1/customers"
    after = clients.stripe.get("/v1/customers", params={"limit": 3, "starting_after": whole[4]}).json()
    assert [shape["id"] for shape in after["data"]] == whole[5:8]
    before = clients.stripe.get("/v1/customers", params={"limit": 3, "ending_before": whole[5]}).json()
    assert [shape["id"] for shape in before["data"]] == whole[2:5]
    assert before["has_more"] is True
    first = clients.stripe.get("/v1/customers", params={"limit": 3, "ending_before": whole[2]}).json()
    assert [shape["id"] for shape in first["data"]] == whole[:2]
    assert first["has_more"] is False
    last = clients.stripe.get("/v1/customers", params={"limit": 100, "starting_after": whole[-2]}).json()
    assert [shape["id"] for shape in last["data"]] == whole[-1:]
    assert last["has_more"] is False


def test_created_filters(clients: Clients) -> None:
    invoices = clients.walk("/v1/invoices")
    edge = invoices[len(invoices) // 2]["created"]
    bounds = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    for bound, keep in bounds.items():
        found = clients.walk("/v1/invoices", **{f"created[{bound}]": edge})
        assert [i["id"] for i in found] == [i["id"] for i in invoices if keep(i["created"], edge)]
    exact = clients.walk("/v1/invoices", created=edge)
    assert [i["id"] for i in exact] == [i["id"] for i in invoices if i["created"] == edge]
    window = {"created[gte]": edge - 86_400, "created[lt]": edge + 86_400}
    found = clients.walk("/v1/invoices", limit=100, **window)
    assert [i["id"] for i in found] == [i["id"] for i in invoices if edge - 86_400 <= i["created"] < edge + 86_400]


@pytest.mark.parametrize("limit", ["0", "101", "-1"])
def test_limit_bounds(clients: Clients, limit: str) -> None:
    assert error(clients.stripe.get("/v1/invoices", params={"limit": limit}), 400)["param"] == "limit"


@pytest.mark.parametrize(
    ("path", "param", "code"),
    [
        ("/v1/customers?status=all", "status", "parameter_unknown"),
        ("/v1/customers?updated[gte]=1", "updated", "parameter_unknown"),
        ("/v1/customers?created[after]=1", "created[after]", "parameter_unknown"),
        ("/v1/subscription_items?subscription=sub_x&created=1", "created", "parameter_unknown"),
        ("/v1/customers?limit=ten", "limit", "parameter_invalid_integer"),
        ("/v1/customers?created[gte]=yesterday", "created[gte]", "parameter_invalid_integer"),
        ("/v1/customers?starting_after=cus_nobody", "starting_after", "resource_missing"),
        ("/v1/customers?ending_before=cus_nobody", "ending_before", "resource_missing"),
        ("/v1/invoices?starting_after=cus_nobody", "starting_after", "resource_missing"),
        ("/v1/customers?starting_after=a&ending_before=b", "starting_after", None),
        ("/v1/subscription_items", "subscription", "parameter_missing"),
        ("/v1/invoices?status=late", "status", None),
        ("/v1/customers?expand[]=data.email", "expand", None),
        ("/v1/customers?expand[]=data.a.b.c.d.e", "expand", None),
        ("/v1/events?types=invoice.paid", "types", None),
    ],
)
def test_refusals(clients: Clients, path: str, param: str, code: str | None) -> None:
    found = error(clients.stripe.get(path), 400)
    assert found["type"] == "invalid_request_error"
    assert found["param"] == param
    assert found.get("code") == code


def test_lists_take_the_parameters_of_the_api_and_no_others() -> None:
    path = API / "stripe" / "list_endpoints.json"
    if not path.is_file():
        pytest.skip(f"no API description in {path}")
    endpoints = json.loads(path.read_text())["endpoints"]
    endpoints["GET /v1/payouts"] = parameters(PayoutListParams)
    for name in STRIPE_COLLECTIONS:
        documented = set(endpoints[f"GET /v1/{name}"]) - {"expand", "limit", "starting_after", "ending_before"}
        assert {parameter.partition("[")[0] for parameter in RESOURCES[name].filters} == documented, name
    for path_, (resource, field) in Resources().by_path.items():
        assert endpoints[f"GET {path_}"][resource.nested[field].by]["required"]
    for name, id in (("invoices", "invoice"), ("credit_notes", "id")):
        assert f"GET /v1/{name}/{{{id}}}/lines" in endpoints
        assert RESOURCES[name].nested["lines"].path is None


def test_a_cursor_that_is_deleted_between_pages_is_unknown(own: Clients) -> None:
    cursor = own.stripe.get("/v1/customers", params={"limit": 3}).json()["data"][-1]["id"]
    assert own.stripe.delete(f"/_sim/objects/customers/{cursor}").status_code == 200
    found = error(own.stripe.get("/v1/customers", params={"starting_after": cursor}), 400)
    assert (found["code"], found["param"]) == ("resource_missing", "starting_after")
    assert cursor in found["message"]


def test_subscriptions_leave_out_canceled_ones_unless_asked(clients: Clients) -> None:
    everything = clients.walk("/v1/subscriptions", status="all")
    default = clients.walk("/v1/subscriptions")
    assert {s["id"] for s in default} == {s["id"] for s in everything if s["status"] != "canceled"}
    assert len(default) < len(everything)
    ended = clients.walk("/v1/subscriptions", status="ended")
    assert {s["status"] for s in ended} <= {"canceled", "incomplete_expired"}
    assert {s["status"] for s in clients.walk("/v1/subscriptions", status="active")} == {"active"}


def test_filters(clients: Clients) -> None:
    invoices = clients.walk("/v1/invoices")
    customer = next(i["customer"] for i in invoices if i["parent"])
    mine = [i["id"] for i in invoices if i["customer"] == customer]
    assert [i["id"] for i in clients.walk("/v1/invoices", customer=customer)] == mine
    subscription = next(i["parent"]["subscription_details"]["subscription"] for i in invoices if i["parent"])
    for found in clients.walk("/v1/invoices", subscription=subscription):
        assert found["parent"]["subscription_details"]["subscription"] == subscription
    assert {i["status"] for i in clients.walk("/v1/invoices", status="open")} == {"open"}
    assert all(i["due_date"] for i in clients.walk("/v1/invoices", **{"due_date[gt]": 1}))
    assert {p["currency"] for p in clients.walk("/v1/prices", currency="jpy")} == {"jpy"}
    assert {p["type"] for p in clients.walk("/v1/prices", type="one_time")} == {"one_time"}
    assert {p["active"] for p in clients.walk("/v1/products", active="false")} == {False}
    yearly = clients.walk("/v1/prices", **{"recurring[interval]": "year"})
    assert {p["recurring"]["interval"] for p in yearly} == {"year"}
    price = yearly[0]["id"]
    for found in clients.walk("/v1/subscriptions", status="all", price=price):
        assert price in {item["price"]["id"] for item in found["items"]["data"]}
    email = next(c["email"] for c in clients.walk("/v1/customers") if c["email"])
    assert {c["email"] for c in clients.walk("/v1/customers", email=email)} == {email}
    key = clients.walk("/v1/prices", **{"lookup_keys[]": "team_month_usd"})
    assert [p["lookup_key"] for p in key] == ["team_month_usd"]


def test_embedded_lists_hold_ten_and_the_rest_is_paged(clients: Clients) -> None:
    clients.simulation.set_clock(DEMO + DAY)
    big = [i for i in clients.walk("/v1/invoices") if i["lines"]["has_more"]]
    assert {i["lines"]["total_count"] for i in big} == {11, 12, 13, 101, 120, 250}
    for invoice in big:
        assert len(invoice["lines"]["data"]) == 10
        assert invoice["lines"]["url"] == f"/v1/invoices/{invoice['id']}/lines"
        lines = clients.walk(invoice["lines"]["url"], limit=50)
        assert len({line["id"] for line in lines}) == len(lines) == invoice["lines"]["total_count"]
        assert lines[:10] == invoice["lines"]["data"]
        rest = clients.walk(invoice["lines"]["url"], starting_after=lines[9]["id"])
        assert rest == lines[10:]
    big_subscriptions = [s for s in clients.walk("/v1/subscriptions", status="all") if s["items"]["has_more"]]
    assert big_subscriptions
    for subscription in big_subscriptions:
        items = clients.walk("/v1/subscription_items", subscription=subscription["id"], limit=5)
        assert len(items) == subscription["items"]["total_count"] in (12, 13)
        assert items[:10] == subscription["items"]["data"]


def test_expand(clients: Clients) -> None:
    page = clients.stripe.get("/v1/invoices", params={"limit": 100, "expand[]": ["data.customer"]}).json()
    assert all(isinstance(i["customer"], dict) for i in page["data"])
    deleted = [line["id"] for line in clients.books("customers") if line["deleted_at"]]
    shapes = [i for id in deleted for i in clients.walk("/v1/invoices", customer=id, **{"expand[]": "data.customer"})]
    assert shapes
    for shape in shapes:
        assert shape["customer"] == {"id": shape["customer"]["id"], "object": "customer", "deleted": True}
    one = clients.stripe.get(f"/v1/invoices/{page['data'][0]['id']}", params={"expand[]": "customer"}).json()
    assert one["customer"]["object"] == "customer"
    deep = clients.stripe.get(
        "/v1/subscriptions", params={"expand[]": ["data.latest_invoice.customer", "data.items.data.price.product"]}
    ).json()["data"][0]
    assert deep["latest_invoice"]["customer"]["object"] == "customer"
    assert deep["items"]["data"][0]["price"]["product"]["object"] == "product"
    tiered = clients.walk("/v1/prices", **{"expand[]": "data.tiers"})
    assert any("tiers" in price for price in tiered)
    assert all(("tiers" in price) == (price["billing_scheme"] == "tiered") for price in tiered)


def test_deleted_things(own: Clients) -> None:
    for name in ("customers", "products", "prices", "invoices"):
        id = own.stripe.get(f"/v1/{name}").json()["data"][0]["id"]
        assert own.stripe.get(f"/v1/{name}/{id}").json()["id"] == id
        own.stripe.delete(f"/_sim/objects/{name}/{id}")
        answer = own.stripe.get(f"/v1/{name}/{id}")
        if name == "customers":
            assert answer.status_code == 200
            assert answer.json() == {"id": id, "object": "customer", "deleted": True}
        else:
            assert error(answer, 404)["code"] == "resource_missing"
        assert id not in {shape["id"] for shape in own.walk(f"/v1/{name}")}


def test_the_state_is_that_of_the_clock(clients: Clients) -> None:
    later = DEMO + 2 * DAY
    now = {i["id"]: i for i in clients.walk("/v1/invoices")}
    clients.simulation.set_clock(later)
    then = {i["id"]: i for i in clients.walk("/v1/invoices")}
    clients.simulation.set_clock(DEMO)
    assert {i["id"]: i for i in clients.walk("/v1/invoices")} == now
    assert set(then) - set(now)
    assert any(then[id] != now[id] for id in set(then) & set(now))
    assert max(i["created"] for i in now.values()) <= DEMO // SECOND


def test_the_frame(clients: Clients) -> None:
    answer = clients.stripe.get("/v1/account", headers={"Stripe-Version": "2026-09-30.endive"})
    assert answer.json()["id"] == "acct_tributary"
    assert answer.headers["stripe-version"] == "2026-09-30.endive"
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["date"] == "Sun, 04 Jan 2026 06:00:00 GMT"
    assert clients.stripe.get("/v1/account").headers["stripe-version"] == "2026-10-28.endive"
    assert clients.stripe.get("/v1/account").text.startswith('{\n  "id": "acct_tributary"')
    assert clients.stripe.get("/v1/account", headers={"Stripe-Version": "latest"}).status_code == 400
    assert "Unrecognized request URL" in error(clients.stripe.get("/v1/unknown"), 404)["message"]
    assert clients.stripe.post("/v1/customers").status_code == 404
    assert error(clients.stripe.get("/v1/customers/cus_x"), 404)["code"] == "resource_missing"


def test_keys(clients: Clients) -> None:
    plain = clients.stripe
    for header in (
        {"Authorization": ""},
        {"Authorization": "Bearer sk_test_somebody_else"},
        {"Authorization": "Basic ="},
    ):
        answer = plain.get("/v1/customers", headers=header)
        assert error(answer, 401)["type"] == "invalid_request_error"
        assert "somebody_else" not in answer.text
    del plain.headers["Authorization"]
    assert plain.get("/v1/customers", auth=("sk_test_tributary", "")).status_code == 200
    assert plain.get("/v1/customers").status_code == 401


def test_rate_limits_are_off_until_turned_on(own: Clients) -> None:
    assert {own.stripe.get("/v1/products").status_code for _ in range(40)} == {200}
    assert own.stripe.put("/_sim/settings", json={"rate_limits": True}).status_code == 200
    answers = [own.stripe.get("/v1/products") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    if refused:  # a slow machine may not manage 25 requests in a second
        assert {a.headers["stripe-rate-limited-reason"] for a in refused} == {"endpoint-rate"}
        assert "retry-after" not in refused[0].headers


@pytest.mark.parametrize(("livemode", "rate"), [(False, 25), (True, 100)])
def test_rate_limits_of_the_account(livemode: bool, rate: int) -> None:
    limits = Limits(livemode)
    limits.enforced = True
    limits.stripe_global = Window(limits.stripe_global.most, 1, clock=lambda: 0.0)
    told = [limits.stripe(f"/v1/{number % 10}") for number in range(rate + 3)]
    assert told == [None] * rate + ["global-rate"] * 3


def test_another_account_in_live_mode(small_world: World) -> None:
    other = Clients(Simulation(build(8, 10, Account("acct_other", "Other, Inc.", livemode=True)), DEMO))
    account = other.stripe.get("/v1/account").json()
    assert (account["id"], account["business_profile"]["name"]) == ("acct_other", "Other, Inc.")
    assert other.stripe.get("/v1/balance").json()["livemode"] is True
    for name in STRIPE_COLLECTIONS:
        for text in (other.stripe.get(f"/v1/{name}").text, other.stripe.get(f"/_sim/books/{name}").text):
            assert '"livemode": false' not in text and '"livemode":false' not in text
            assert "acct_tributary" not in text
    assert all(event["livemode"] for event in other.walk("/v1/events"))
    ids = set(small_world.store["customers"].records)
    assert not ids & set(other.simulation.world.store["customers"].records)


def test_list_of_lines_of_an_unknown_invoice(clients: Clients) -> None:
    assert error(clients.stripe.get("/v1/invoices/in_x/lines"), 404)["code"] == "resource_missing"


def test_history_begins_with_the_company(clients: Clients) -> None:
    clients.simulation.set_clock(parse("2024-07-01T00:00:00Z"))
    assert clients.walk("/v1/customers") == []
    with pytest.raises(ValueError, match="outside"):
        clients.simulation.set_clock(instant(2024, 6, 30))
    assert json.loads(clients.stripe.get("/v1/events").text)["data"] != []
