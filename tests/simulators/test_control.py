"""The control API: clock, books, changes by hand, the request log."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.build import HUBSPOT_COLLECTIONS, STRIPE_COLLECTIONS
from simulators.world.moments import DAY, SECOND, iso
from tests.simulators.conftest import DEMO, Clients


def test_the_clock(own: Clients) -> None:
    assert own.stripe.get("/_sim/clock").json() == {"now": "2026-01-04T06:00:00.000Z"}
    moved = own.hubspot.put("/_sim/clock", json={"now": "2026-01-05T06:00:00Z"})
    assert moved.json() == {"now": "2026-01-05T06:00:00.000Z"}
    assert own.stripe.get("/v1/account").headers["date"] == "Mon, 05 Jan 2026 06:00:00 GMT"
    assert own.hubspot.put("/_sim/clock", json={"now": "2026-01-05T07:00:00+01:00"}).json() == moved.json()
    refused: list[Any] = [{"now": "soon"}, {"now": "1999-01-01"}, {"now": "2030-01-01"}, {}, []]
    for bad in refused:
        assert own.stripe.put("/_sim/clock", json=bad).status_code == 400
    assert own.stripe.put("/_sim/clock", content=b"{").status_code == 400


def test_no_key_is_needed(own: Clients) -> None:
    del own.stripe.headers["Authorization"]
    health = own.stripe.get("/_sim/health").json()
    assert health["status"] == "ok"
    assert health["customers"] == 25
    assert health["records"]["customers"] >= 25


@pytest.mark.parametrize("name", [*STRIPE_COLLECTIONS, *HUBSPOT_COLLECTIONS, "deal_contacts"])
def test_books(clients: Clients, name: str) -> None:
    now = clients.books(name)
    earlier = clients.books(name, at="2025-06-01T00:00:00Z")
    assert {line["id"] for line in earlier} <= {line["id"] for line in now}
    for line in now:
        assert line["created"] <= line["updated"] <= iso(DEMO)
        assert (line["deleted_at"] is None) == (line["gone"] is None)
        assert line["deleted_at"] in (None, line["updated"])
    if name in ("customers", "contacts", "invoices"):
        assert any(line["deleted_at"] for line in now)
    if name == "invoices":
        assert all(not line["object"]["lines"]["has_more"] for line in now)
        assert max(len(line["object"]["lines"]["data"]) for line in now) == 120
    if name == "deal_contacts":
        assert set(now[0]["object"]) == {"deal_id", "contact_id", "types"}


def test_books_refuse_nonsense(clients: Clients) -> None:
    assert clients.stripe.get("/_sim/books/quotes").status_code == 404
    assert clients.stripe.get("/_sim/books/customers?at=soon").status_code == 400


def newest_event(clients: Clients) -> dict[str, Any]:
    found: dict[str, Any] = clients.stripe.get("/v1/events", params={"limit": 1}).json()["data"][0]
    return found


def test_inserting_and_changing_a_stripe_object(own: Clients) -> None:
    own.simulation.set_clock(DEMO + 17)
    template = own.stripe.get("/v1/customers").json()["data"][0]
    given = {**template, "email": "new@one.example", "created": DEMO // SECOND - 10}
    assert own.stripe.put("/_sim/objects/customers/cus_mine", json=given).status_code == 200
    assert own.stripe.get("/v1/customers").json()["data"][0]["id"] == "cus_mine"
    event = newest_event(own)
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", "cus_mine")
    own.simulation.set_clock(DEMO + 60 * SECOND)
    own.stripe.patch("/_sim/objects/customers/cus_mine", json={"email": None})
    event = newest_event(own)
    assert event["type"] == "customer.updated"
    assert event["data"]["previous_attributes"] == {"email": "new@one.example"}
    own.simulation.set_clock(DEMO + 10 * SECOND)
    assert own.stripe.get("/v1/customers/cus_mine").json()["email"] == "new@one.example"
    own.simulation.set_clock(DEMO + 90 * SECOND)
    own.stripe.delete("/_sim/objects/customers/cus_mine")
    assert newest_event(own)["type"] == "customer.deleted"
    assert own.stripe.delete("/_sim/objects/customers/cus_mine").status_code == 404
    assert own.stripe.delete("/_sim/objects/customers/cus_never").status_code == 404
    line = next(line for line in own.books("customers") if line["id"] == "cus_mine")
    assert line["deleted_at"] == iso(DEMO + 90 * SECOND)


def test_a_change_by_hand_ends_the_generated_future(own: Clients) -> None:
    world = own.simulation.world
    id = next(
        record.id
        for record in world.store["subscriptions"].records.values()
        if record.versions[0].at < DEMO < DEMO + DAY < record.versions[-1].at
    )
    own.stripe.patch(f"/_sim/objects/subscriptions/{id}", json={"description": "by hand"})
    own.simulation.set_clock(DEMO + 20 * DAY)
    assert own.stripe.get(f"/v1/subscriptions/{id}").json()["description"] == "by hand"
    told = [event for event in own.walk("/v1/events") if event["data"]["object"]["id"] == id]
    assert all(event["created"] <= DEMO // SECOND for event in told)


def test_lines_may_be_given_as_a_plain_array(own: Clients) -> None:
    invoice = next(i for i in own.walk("/v1/invoices") if i["lines"]["total_count"] == 1)
    line = invoice["lines"]["data"][0]
    lines = [{**line, "id": f"il_{number}"} for number in range(25)]
    own.stripe.patch(f"/_sim/objects/invoices/{invoice['id']}", json={"lines": lines})
    found = own.stripe.get(f"/v1/invoices/{invoice['id']}").json()["lines"]
    assert (len(found["data"]), found["has_more"], found["total_count"]) == (10, True, 25)
    assert [found["id"] for found in own.walk(found["url"])] == [line["id"] for line in lines]


def test_canceling_a_subscription(own: Clients) -> None:
    id = own.walk("/v1/subscriptions", status="active")[0]["id"]
    own.stripe.delete(f"/_sim/objects/subscriptions/{id}")
    assert own.stripe.get(f"/v1/subscriptions/{id}").json()["status"] == "canceled"
    assert newest_event(own)["type"] == "customer.subscription.deleted"


def test_changing_hubspot_records(own: Clients) -> None:
    own.hubspot.put("/_sim/objects/contacts/777", json={"properties": {"email": "x@y.example"}})
    record = own.hubspot.get("/crm/objects/2026-09/contacts/777").json()
    assert record["properties"]["email"] == "x@y.example"
    assert record["createdAt"] == record["updatedAt"] == iso(DEMO)
    own.simulation.set_clock(DEMO + 5_000)
    own.hubspot.patch("/_sim/objects/contacts/777", json={"phone": "1"})
    record = own.hubspot.get("/crm/objects/2026-09/contacts/777?properties=phone,email").json()
    assert (record["properties"]["phone"], record["properties"]["email"]) == ("1", "x@y.example")
    assert (record["createdAt"], record["updatedAt"]) == (iso(DEMO), iso(DEMO + 5_000))
    assert own.hubspot.put("/_sim/objects/contacts/777", json={"shoe_size": "40"}).status_code == 400
    deal = own.hubspot.get("/crm/objects/2026-09/deals").json()["results"][0]["id"]
    own.hubspot.put(f"/_sim/objects/deal_contacts/{deal}:777", json={})
    changed = own.hubspot.get(f"/crm/objects/2026-09/deals/{deal}?associations=contacts").json()
    assert "777" in [other["id"] for other in changed["associations"]["contacts"]["results"]]
    assert changed["updatedAt"] == iso(DEMO + 5_000)
    own.simulation.set_clock(DEMO + 9_000)
    own.hubspot.delete("/_sim/objects/contacts/777")
    assert own.hubspot.get("/crm/objects/2026-09/contacts/777").status_code == 404
    assert "777" in {r["id"] for r in own.walk_crm("/crm/objects/2026-09/contacts", archived="true")}
    changed = own.hubspot.get(f"/crm/objects/2026-09/deals/{deal}?associations=contacts").json()
    assert "777" not in str(changed.get("associations"))
    assert changed["updatedAt"] == iso(DEMO + 9_000)
    assert own.hubspot.put("/_sim/objects/deal_contacts/1-2", json={}).status_code == 400


def test_owners_and_pipelines_can_be_changed(own: Clients) -> None:
    owner = own.hubspot.get("/crm/owners/2026-09").json()["results"][0]
    own.hubspot.patch(f"/_sim/objects/owners/{owner['id']}", json={"lastName": "New"})
    assert own.hubspot.get("/crm/owners/2026-09").json()["results"][0]["lastName"] == "New"
    own.hubspot.delete(f"/_sim/objects/owners/{owner['id']}")
    archived = own.hubspot.get("/crm/owners/2026-09?archived=true").json()["results"]
    assert owner["id"] in {found["id"] for found in archived}


def test_the_request_log(own: Clients) -> None:
    own.stripe.delete("/_sim/requests")
    own.stripe.get("/v1/customers?limit=2")
    own.stripe.get("/v1/customers?limit=0")
    own.hubspot.post("/crm/objects/2026-09/deals/search", json={})
    log = own.stripe.get("/_sim/requests").json()
    assert log["total"] == 2
    assert log["counts"] == {"GET /v1/customers 200": 1, "GET /v1/customers 400": 1}
    assert [entry["query"] for entry in log["requests"]] == ["limit=2", "limit=0"]
    assert {entry["service"] for entry in log["requests"]} == {"stripe"}
    assert own.stripe.delete("/_sim/requests").json()["total"] == 0
    log = own.hubspot.get("/_sim/requests").json()
    assert log["counts"] == {"POST /crm/objects/2026-09/deals/search 200": 1}


def test_unknown_paths_and_settings(own: Clients) -> None:
    assert own.stripe.get("/_sim/nothing").status_code == 404
    assert own.stripe.put("/_sim/settings", json={"colour": "red"}).status_code == 400
    assert own.stripe.put("/_sim/objects/quotes/qt_1", json={}).status_code == 404
    assert own.stripe.put("/_sim/objects/customers/cus_1", json=[]).status_code == 400
    assert own.stripe.put("/_sim/settings", json={"association_page": 3}).json()["association_page"] == 3


QUOTES: dict[str, Any] = {
    "object": "quote",
    "prefix": "qt_",
    "permission": "rak_quote_read",
    "created": ["quote.created"],
    "updated": ["quote.updated"],
    "deleted": ["quote.deleted"],
    "filters": {
        "created": {"path": "created", "kind": "range"},
        "customer": {"path": "customer"},
        "status": {"path": "status", "words": ["draft", "open", "accepted", "canceled"]},
    },
    "nested": {"line_items": {"object": "item"}},
}


def test_one_more_collection_is_only_data(own: Clients) -> None:
    """Mutable, with an inner list that is paged, events and a deletion: no line of the simulator knows of quotes."""
    assert own.stripe.get("/v1/quotes").status_code == 404
    assert own.stripe.put("/_sim/collections/quotes", json=QUOTES).status_code == 200
    customer = own.stripe.get("/v1/customers").json()["data"][0]["id"]
    for number in range(3):
        items = [{"id": f"li_{number}_{line}", "object": "item", "amount": line} for line in range(number * 11)]
        given = {"status": "draft", "customer": customer, "line_items": items, "created": DEMO // SECOND - 10 + number}
        assert own.stripe.put(f"/_sim/objects/quotes/qt_{number}", json=given).status_code == 200
    page = own.stripe.get("/v1/quotes", params={"limit": 2}).json()
    assert ([quote["id"] for quote in page["data"]], page["has_more"]) == (["qt_2", "qt_1"], True)
    inner = page["data"][0]["line_items"]
    assert (len(inner["data"]), inner["has_more"], inner["total_count"]) == (10, True, 22)
    assert [line["amount"] for line in own.walk(inner["url"], limit=7)] == list(range(22))
    own.simulation.set_clock(DEMO + 60 * SECOND)
    own.stripe.patch("/_sim/objects/quotes/qt_1", json={"status": "open"})
    assert [quote["id"] for quote in own.walk("/v1/quotes", status="open")] == ["qt_1"]
    assert [quote["id"] for quote in own.walk("/v1/quotes", **{"created[gt]": DEMO // SECOND - 10})] == ["qt_2", "qt_1"]
    assert own.stripe.get("/v1/quotes", params={"colour": "red"}).json()["error"]["code"] == "parameter_unknown"
    full = own.stripe.get("/v1/quotes/qt_1", params={"expand[]": "customer"}).json()
    assert full["customer"]["object"] == "customer"
    own.simulation.set_clock(DEMO + 120 * SECOND)
    own.stripe.delete("/_sim/objects/quotes/qt_2")
    assert own.stripe.get("/v1/quotes/qt_2").status_code == 404
    told = [event["type"] for event in own.walk("/v1/events", **{"types[]": ["quote.*"]})]
    assert (told[:2], sorted(told[2:])) == (["quote.deleted", "quote.updated"], ["quote.created"] * 3)
    assert {line["id"]: line["gone"] for line in own.books("quotes")} == {"qt_0": None, "qt_1": None, "qt_2": "deleted"}
    order = {"kind": "missing_permission", "path": "/v1/quotes"}
    own.stripe.put("/_sim/faults", json=order)
    assert "rak_quote_read" in own.stripe.get("/v1/quotes").json()["error"]["message"]


def test_a_collection_has_to_make_sense(own: Clients) -> None:
    refused: list[Any] = [[], {}, {"object": 1}, {"object": "quote", "speed": 1}, {"object": "invoice"}]
    for bad in refused:
        assert own.stripe.put("/_sim/collections/quotes", json=bad).status_code == 400


CHANGES = [
    ("coupons", {"name": "x"}, "coupon.updated", "coupon.deleted"),
    ("charges", {"metadata": {"a": "b"}}, "charge.updated", None),
    ("refunds", {"metadata": {"a": "b"}}, "refund.updated", None),
    ("disputes", {"metadata": {"a": "b"}}, "charge.dispute.updated", None),
    ("credit_notes", {"memo": "x"}, "credit_note.updated", "credit_note.voided"),
    ("invoice_payments", {"status": "paid"}, "invoice_payment.paid", None),
    ("balance_transactions", {"description": "x"}, None, None),
    ("prices", {"nickname": "x"}, "price.updated", "price.deleted"),
    ("products", {"name": "x"}, "product.updated", "product.deleted"),
]


@pytest.mark.parametrize(("name", "change", "updated", "deleted"), CHANGES)
def test_changes_by_hand_are_announced_as_stripe_would(
    own: Clients, name: str, change: dict[str, Any], updated: str | None, deleted: str | None
) -> None:
    shape = own.stripe.get(f"/v1/{name}").json()["data"][0]
    id, path = shape["id"], f"/_sim/objects/{name}/{shape['id']}"

    def told() -> list[str]:
        now = own.simulation.clock // SECOND
        events = own.walk("/v1/events", **{"created[gte]": now - 5})
        return [event["type"] for event in events if event["data"]["object"]["id"] == id]

    own.simulation.set_clock(DEMO + 30 * SECOND)
    own.stripe.patch(path, json=change)
    changed = own.stripe.get(f"/v1/{name}/{id}").json()
    assert {key: changed[key] for key in change} == change
    assert set(told()) >= ({updated} if updated else set())
    assert bool(told()) == bool(updated)
    own.simulation.set_clock(DEMO + 60 * SECOND)
    assert own.stripe.delete(path).status_code == 200
    assert told() == ([deleted] if deleted else [])
    gone = own.stripe.get(f"/v1/{name}/{id}")
    assert gone.json().get("status") == "void" if name == "credit_notes" else gone.status_code == 404
    own.simulation.set_clock(DEMO + 90 * SECOND)
    if name == "coupons":
        assert own.stripe.put(path, json=shape).status_code == 200
        assert told() == ["coupon.created"]


def test_tiers_survive_a_change_by_hand(own: Clients) -> None:
    tiered = next(p for p in own.walk("/v1/prices", **{"expand[]": "data.tiers"}) if "tiers" in p)
    own.stripe.patch(f"/_sim/objects/prices/{tiered['id']}", json={"nickname": "x"})
    path = f"/v1/prices/{tiered['id']}"
    assert own.stripe.get(path, params={"expand[]": "tiers"}).json()["tiers"] == tiered["tiers"]
    assert "tiers" not in own.stripe.get(path).json()
    assert own.walk("/v1/events", type="price.updated")[0]["data"]["previous_attributes"].keys() == {"nickname"}
