"""The fault menu, as far as it can be seen without a socket; the rest is in test_server."""

from __future__ import annotations

import time
from typing import Any

import pytest

from simulators.faults import FaultMenu, parse_fault
from simulators.world.moments import DAY
from tests.simulators.conftest import DEMO, Clients

CONTACTS = "/crm/objects/2026-09/contacts"


def order(clients: Clients, *faults: dict[str, Any]) -> None:
    assert clients.stripe.put("/_sim/faults", json={"faults": list(faults)}).status_code == 200


def order_crm(clients: Clients, *faults: dict[str, Any]) -> None:
    assert clients.hubspot.put("/_sim/faults", json={"faults": list(faults)}).status_code == 200


def remaining(clients: Clients) -> list[int]:
    return [fault["times"] for fault in clients.stripe.get("/_sim/faults").json()["faults"]]


@pytest.mark.parametrize(
    "reason", ["global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific"]
)
def test_stripe_rate_limits(clients: Clients, reason: str) -> None:
    order(clients, {"kind": "rate_limit", "times": 2, "path": "/v1/invoices", "reason": reason})
    assert clients.stripe.get("/v1/customers").status_code == 200
    for _ in range(2):
        answer = clients.stripe.get("/v1/invoices")
        assert answer.status_code == 429
        assert answer.headers["stripe-rate-limited-reason"] == reason
        assert answer.json()["error"]["code"] == "rate_limit"
        assert "retry-after" not in answer.headers
    assert clients.stripe.get("/v1/invoices").status_code == 200
    assert remaining(clients) == [0]


def test_other_stripe_failures(clients: Clients) -> None:
    order(clients, {"kind": "lock_timeout"}, {"kind": "html_500", "should_retry": False}, {"kind": "unavailable"})
    locked = clients.stripe.get("/v1/customers")
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in locked.headers
    broken = clients.stripe.get("/v1/customers")
    assert (broken.status_code, broken.headers["stripe-should-retry"]) == (500, "false")
    assert broken.headers["content-type"].startswith("text/html")
    assert clients.stripe.get("/v1/customers").status_code == 503
    order(clients, {"kind": "expired_token"})
    assert clients.stripe.get("/v1/customers").json()["error"]["code"] == "api_key_expired"
    assert clients.stripe.get("/v1/customers").status_code == 200


@pytest.mark.parametrize("policy", ["TEN_SECONDLY_ROLLING", "DAILY", "SECONDLY"])
def test_hubspot_rate_limits(clients: Clients, policy: str) -> None:
    order_crm(clients, {"kind": "rate_limit", "reason": policy})
    assert clients.stripe.get("/v1/customers").status_code == 200
    answer = clients.hubspot.get(CONTACTS)
    assert answer.status_code == 429
    assert answer.json()["policyName"] == policy
    assert clients.hubspot.get(CONTACTS).status_code == 200


def test_other_hubspot_failures(clients: Clients) -> None:
    kinds = ("html_500", "unavailable", "lock_timeout", "expired_token")
    order_crm(clients, *({"kind": kind} for kind in kinds))
    answers = [clients.hubspot.get(CONTACTS) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [500, 503, 423, 401, 200]
    assert answers[0].headers["content-type"].startswith("text/html")
    assert answers[3].json()["category"] == "EXPIRED_AUTHENTICATION"


def test_a_page_comes_twice(clients: Clients) -> None:
    order(clients, {"kind": "duplicate_page", "path": "/v1/customers"})
    first = clients.stripe.get("/v1/customers").json()
    assert remaining(clients) == [1], "the first page has no page before it"
    params = {"starting_after": first["data"][-1]["id"]}
    assert clients.stripe.get("/v1/customers", params=params).json() == first
    assert clients.stripe.get("/v1/customers", params=params).json() != first
    order_crm(clients, {"kind": "duplicate_page"})
    page = clients.hubspot.get(CONTACTS).json()
    after = {"after": page["paging"]["next"]["after"]}
    assert clients.hubspot.get(CONTACTS, params=after).json() == page
    assert clients.hubspot.get(CONTACTS, params=after).json() != page
    order_crm(clients, {"kind": "duplicate_page", "path": "*/search"})
    body = {"sorts": ["hs_object_id"], "limit": 5}
    found = clients.hubspot.post(f"{CONTACTS}/search", json=body).json()
    assert clients.hubspot.post(f"{CONTACTS}/search", json={**body, "after": "5"}).json() == found
    assert clients.hubspot.post(f"{CONTACTS}/search", json={**body, "after": "5"}).json() != found


def test_an_empty_page_that_goes_on(clients: Clients) -> None:
    order(clients, {"kind": "empty_page", "after": 1, "path": "/v1/invoices"})
    first = clients.stripe.get("/v1/invoices").json()
    params = {"starting_after": first["data"][-1]["id"]}
    empty = clients.stripe.get("/v1/invoices", params=params).json()
    assert (empty["data"], empty["has_more"]) == ([], True)
    assert clients.stripe.get("/v1/invoices", params=params).json()["data"]
    order_crm(clients, {"kind": "empty_page", "path": "/crm"})
    page = clients.hubspot.get(CONTACTS).json()
    assert page == {"results": [], "paging": {"next": {"after": "0"}}}
    assert clients.hubspot.get(CONTACTS, params={"after": "0"}).json()["results"]


def test_deletion_between_pages(own: Clients) -> None:
    order(own, {"kind": "delete_between_pages", "path": "/v1/customers"})
    cursor = own.stripe.get("/v1/customers").json()["data"][-1]["id"]
    answer = own.stripe.get("/v1/customers", params={"starting_after": cursor})
    assert answer.json()["error"]["code"] == "resource_missing"
    assert next(line for line in own.books("customers") if line["id"] == cursor)["gone"] == "deleted"
    order_crm(own, {"kind": "delete_between_pages", "path": CONTACTS})
    after = own.hubspot.get(CONTACTS).json()["paging"]["next"]["after"]
    page = own.hubspot.get(CONTACTS, params={"after": after}).json()
    assert int(page["results"][0]["id"]) > int(after)
    assert next(line for line in own.books("contacts") if line["id"] == after)["gone"] == "archived"


def test_deletion_between_pages_of_an_inner_list(own: Clients) -> None:
    own.simulation.set_clock(DEMO + DAY)
    invoice = next(i for i in own.walk("/v1/invoices") if i["lines"]["total_count"] == 101)
    order(own, {"kind": "delete_between_pages", "path": "/v1/invoices/*"})
    cursor = own.stripe.get(invoice["lines"]["url"], params={"limit": 50}).json()["data"][-1]["id"]
    answer = own.stripe.get(invoice["lines"]["url"], params={"starting_after": cursor})
    assert answer.json()["error"]["code"] == "resource_missing"
    left = own.walk(invoice["lines"]["url"])
    assert (len(left), cursor in {line["id"] for line in left}) == (100, False)
    assert own.stripe.get(f"/v1/invoices/{invoice['id']}").json()["lines"]["total_count"] == 100
    subscription = next(s for s in own.walk("/v1/subscriptions") if s["items"]["total_count"] == 13)
    order(own, {"kind": "delete_between_pages", "path": "/v1/subscription_items"})
    asked = {"subscription": subscription["id"], "limit": "5"}
    cursor = own.stripe.get("/v1/subscription_items", params=asked).json()["data"][-1]["id"]
    answer = own.stripe.get("/v1/subscription_items", params={**asked, "starting_after": cursor})
    assert answer.status_code == 400
    assert own.stripe.get("/v1/subscription_items", params=asked).json()["total_count"] == 12


@pytest.mark.parametrize("name", ["subscriptions", "credit_notes", "charges"])
def test_deletion_between_pages_is_for_good(own: Clients, name: str) -> None:
    order(own, {"kind": "delete_between_pages", "path": f"/v1/{name}"})
    cursor = own.stripe.get(f"/v1/{name}").json()["data"][-1]["id"]
    answer = own.stripe.get(f"/v1/{name}", params={"starting_after": cursor})
    assert answer.json()["error"]["code"] == "resource_missing"


def test_creation_between_pages(own: Clients) -> None:
    before = [shape["id"] for shape in own.walk("/v1/charges")]
    order(own, {"kind": "created_between_pages", "path": "/v1/charges", "times": 2})
    first = own.stripe.get("/v1/charges").json()
    rest = own.walk("/v1/charges", starting_after=first["data"][-1]["id"])
    assert [shape["id"] for shape in [*first["data"], *rest]] == before, "a walk is not disturbed by what is newer"
    after = [shape["id"] for shape in own.walk("/v1/charges")]
    assert sorted(after[2:]) == sorted(before)
    assert not {*after[:2]} & {*before}
    twins = [e for e in own.walk("/v1/events", type="charge.*") if e["data"]["object"]["id"] in after[:2]]
    assert len(twins) == 2


def test_paging_in_circles(clients: Clients) -> None:
    order(clients, {"kind": "paging_cycle", "path": "/v1/invoices", "times": 3})
    first = clients.stripe.get("/v1/invoices").json()
    cursor = {"starting_after": first["data"][-1]["id"]}
    for _ in range(3):
        assert clients.stripe.get("/v1/invoices", params=cursor).json() == first
    assert clients.stripe.get("/v1/invoices", params=cursor).json() != first
    order_crm(clients, {"kind": "paging_cycle", "path": CONTACTS})
    page = clients.hubspot.get(CONTACTS).json()
    assert clients.hubspot.get(CONTACTS, params={"after": page["paging"]["next"]["after"]}).json() == page


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/v1/invoices", "rak_invoice_read"),
        ("/v1/invoices/in_1/lines", "rak_invoice_read"),
        ("/v1/subscription_items", "rak_subscription_read"),
        ("/v1/charges", "rak_charge_read"),
        ("/v1/refunds", "rak_charge_read"),
        ("/v1/events", "rak_event_read"),
    ],
)
def test_missing_permissions(clients: Clients, path: str, permission: str) -> None:
    order(clients, {"kind": "missing_permission", "path": path})
    answer = clients.stripe.get(path)
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert f"'{permission}'" in error["message"]
    assert clients.hubspot.put("/_sim/faults", json={"kind": "missing_permission"}).status_code == 400


def test_a_key_expires_in_the_middle_of_a_walk(clients: Clients) -> None:
    order(clients, {"kind": "expired_token", "after": 2, "times": 1000})
    assert [clients.stripe.get("/v1/charges").status_code for _ in range(5)] == [200, 200, 401, 401, 401]


def test_faults_of_pages_wait_for_a_page(clients: Clients) -> None:
    order(clients, {"kind": "empty_page"})
    id = clients.books("customers")[0]["id"]
    assert clients.stripe.get("/v1/account").json()["id"] == "acct_tributary"
    assert clients.stripe.get(f"/v1/customers/{id}").json()["id"] == id
    assert remaining(clients) == [1]
    assert clients.stripe.get("/v1/customers").json()["data"] == []


def test_slow_answers(clients: Clients) -> None:
    order(clients, {"kind": "slow", "seconds": 0.3})
    began = time.monotonic()
    assert clients.stripe.get("/v1/customers").json()["data"]
    assert time.monotonic() - began >= 0.3


def test_faults_show_in_the_log(clients: Clients) -> None:
    order(clients, {"kind": "unavailable"})
    clients.stripe.get("/v1/customers")
    entry = clients.stripe.get("/_sim/requests").json()["requests"][-1]
    assert (entry["status"], entry["fault"]) == (503, "unavailable")


def test_the_menu(clients: Clients) -> None:
    one = clients.stripe.put("/_sim/faults", json={"kind": "rate_limit", "times": 2, "path": "/v1/invoices"})
    assert len(one.json()["faults"]) == 1
    assert len(clients.stripe.post("/_sim/faults", json=[{"kind": "slow"}]).json()["faults"]) == 2
    assert clients.stripe.get("/_sim/health").status_code == 200, "the control API is spared"
    order_crm(clients, {"kind": "unavailable"})
    assert clients.stripe.delete("/_sim/faults").json() == {"faults": []}
    assert len(clients.hubspot.get("/_sim/faults").json()["faults"]) == 1, "each service has its own menu"
    for bad in ({"kind": "flood"}, {}, {"kind": "slow", "often": 1}, {"kind": "slow", "times": "2"}, "slow"):
        assert clients.stripe.put("/_sim/faults", json=bad).status_code == 400


def test_chance_is_the_same_each_time() -> None:
    def struck(seed: int) -> list[bool]:
        menu = FaultMenu()
        menu.faults = [parse_fault({"kind": "unavailable", "times": 99, "probability": 0.3, "seed": seed}, "stripe")]
        hits = [menu.next("stripe", "GET", "/v1/customers", paged=True, previous=False) for _ in range(60)]
        return [hit is not None for hit in hits]

    assert struck(1) == struck(1) != struck(2)
    assert 5 < sum(struck(1)) < 35
