"""Events tell everything that changed, for thirty days."""

from __future__ import annotations

from typing import Any

from simulators.simulation import Simulation
from simulators.stripe.events import event_object, previous_attributes
from simulators.world.build import STRIPE_COLLECTIONS, World
from simulators.world.moments import DAY, END, SECOND, instant
from tests.simulators.conftest import DEMO, Clients

#: What Stripe announces nothing about, or not everything.
SILENT = ("balance_transactions", "invoice_payments", "disputes")
TOLD = [name for name in STRIPE_COLLECTIONS if name not in SILENT]


def replay(world: World, at: int) -> dict[str, dict[str, Any]]:
    """The state that follows from the events alone, up to `at`."""
    state: dict[str, dict[str, Any]] = {}
    simulation = Simulation(world, at)
    for entry in world.store.events:
        if entry.at > at or entry.collection not in TOLD:
            continue
        shape = event_object(simulation, entry)["data"]["object"]
        if entry.type.endswith(".deleted") and entry.type != "customer.subscription.deleted":
            state.pop(shape["id"])
        elif not shape.get("test_clock"):
            state[shape["id"]] = shape
    return state


def test_replaying_the_events_gives_the_state(clients: Clients) -> None:
    for at in (instant(2024, 9, 1), instant(2025, 6, 17, 13), DEMO, DEMO + DAY, END - 1):
        clients.simulation.clock = at
        listed: dict[str, Any] = {}
        for name in TOLD:
            params = {"status": "all"} if name == "subscriptions" else {}
            listed |= {shape["id"]: shape for shape in clients.walk(f"/v1/{name}", **params)}
        assert replay(clients.simulation.world, at) == listed


def test_previous_attributes_undo_a_change(world: World) -> None:
    """Laying them over the new object gives the old one back."""

    def undo(shape: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
        restored = dict(shape)
        for key, old in previous.items():
            nested = isinstance(old, dict) and isinstance(shape.get(key), dict) and key != "metadata"
            restored[key] = undo(shape[key], old) if nested else old
        return {key: value for key, value in restored.items() if value is not None}

    def dense(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {key: dense(value) for key, value in shape.items() if value is not None}
        return [dense(part) for part in shape] if isinstance(shape, list) else shape

    simulation, checked = Simulation(world, DEMO), 0
    for entry in world.store.events[::5]:
        if entry.type.endswith(".updated") and entry.version:
            event = event_object(simulation, entry)
            before = world.store[entry.collection].records[entry.id].versions[entry.version - 1].object
            restored = undo(event["data"]["object"], event["data"]["previous_attributes"])
            if len((before.get("items") or before.get("lines") or {"data": []})["data"]) <= 10:
                assert dense(restored) == dense(before)
                checked += 1
    assert checked > 500


def test_nested_changes_are_told_key_by_key() -> None:
    before = {"a": {"x": 1, "y": 2}, "b": [1, 2], "metadata": {"k": "v"}, "same": 1}
    after = {"a": {"x": 1, "y": 3}, "b": [1, 3], "metadata": {}, "same": 1, "new": 5}
    assert previous_attributes(before, after) == {"a": {"y": 2}, "b": [1, 2], "metadata": {"k": "v"}, "new": None}


def test_every_version_is_announced(world: World) -> None:
    told = {(event.collection, event.id, event.version) for event in world.store.events}
    for name in TOLD:
        for record in world.store[name].records.values():
            for index in range(len(record.versions)):
                assert (name, record.id, index) in told, f"{record.id} changed in silence"


def test_what_happens_in_silence(world: World) -> None:
    """No event says that a payment is asked for or given up, nor anything about the balance, which disputes show."""
    told = {(event.collection, event.id, event.version): event.type for event in world.store.events}
    for record in world.store["invoice_payments"].records.values():
        for index, version in enumerate(record.versions):
            paid = version.object["status"] == "paid"
            assert told.get(("invoice_payments", record.id, index)) == ("invoice_payment.paid" if paid else None)
    assert not [event for event in world.store.events if event.collection == "balance_transactions"]
    for record in world.store["disputes"].records.values():
        silent = [v for index, v in enumerate(record.versions) if ("disputes", record.id, index) not in told]
        assert all(part["status"] == "available" for v in silent for part in v.object["balance_transactions"][:1])


def test_the_list_reaches_back_thirty_days(clients: Clients) -> None:
    events = clients.walk("/v1/events")
    oldest, newest = events[-1]["created"], events[0]["created"]
    now = DEMO // SECOND
    assert now - 30 * 86_400 <= oldest < now - 29 * 86_400
    assert now - 86_400 < newest <= now
    created = [event["created"] for event in events]
    assert created == sorted(created, reverse=True)
    assert len({event["id"] for event in events}) == len(events)
    expected = clients.simulation.world.store.events_between(DEMO - 30 * DAY, DEMO)
    assert len(events) == len(expected)


def test_events_share_seconds_in_no_order_one_could_rely_on(clients: Clients) -> None:
    by_second: dict[int, list[str]] = {}
    for event in clients.walk("/v1/events", **{"types[]": ["invoice.created", "invoice.finalized", "invoice.paid"]}):
        if event["data"]["object"]["billing_reason"] == "subscription_create":
            by_second.setdefault(event["created"], []).append(event["type"])
    orders = {tuple(types) for types in by_second.values() if len(types) == 3}
    assert len(orders) > 1


def test_type_filters(clients: Clients) -> None:
    events = clients.walk("/v1/events")
    paid = [event["id"] for event in events if event["type"] == "invoice.paid"]
    assert paid
    assert [event["id"] for event in clients.walk("/v1/events", type="invoice.paid")] == paid
    invoices = [event["id"] for event in events if event["type"].startswith("invoice.")]
    assert [event["id"] for event in clients.walk("/v1/events", type="invoice.*")] == invoices
    two = clients.walk("/v1/events", **{"types[]": ["invoice.paid", "customer.created"]})
    assert {event["type"] for event in two} == {"invoice.paid", "customer.created"}
    numbered = clients.walk("/v1/events", **{"types[0]": "invoice.paid", "types[1]": "customer.created"})
    assert numbered == two
    many = {"types[]": [f"invoice.{number}" for number in range(21)]}
    assert clients.stripe.get("/v1/events", params=many).status_code == 400
    both = {"types[]": "invoice.paid", "type": "invoice.paid"}
    assert clients.stripe.get("/v1/events", params=both).status_code == 400
    day = {"created[gte]": DEMO // SECOND - 86_400, "created[lt]": DEMO // SECOND + 1}
    window = clients.walk("/v1/events", **day)
    assert [e["id"] for e in window] == [e["id"] for e in events if e["created"] >= DEMO // SECOND - 86_400]


def test_one_event_by_id(clients: Clients) -> None:
    event = clients.stripe.get("/v1/events").json()["data"][3]
    assert clients.stripe.get(f"/v1/events/{event['id']}").json() == event
    assert clients.stripe.get("/v1/events/evt_nothing").status_code == 404


def test_embedded_lists_in_events_are_cut_too(clients: Clients) -> None:
    clients.simulation.clock = DEMO + DAY
    lines = [
        event["data"]["object"]["lines"]
        for event in clients.walk("/v1/events", type="invoice.created")
        if event["data"]["object"]["lines"]["total_count"] > 10
    ]
    assert lines
    assert all(len(found["data"]) == 10 and found["has_more"] for found in lines)


def test_deletions_are_told(clients: Clients) -> None:
    clients.simulation.clock = DEMO + 2 * DAY
    types = {event["type"] for event in clients.walk("/v1/events")}
    assert {
        "customer.deleted",
        "product.deleted",
        "price.deleted",
        "customer.subscription.deleted",
        "customer.subscription.trial_will_end",
        "customer.discount.created",
        "invoice.payment_failed",
        "invoice.finalized",
        "coupon.deleted",
        "charge.failed",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "charge.refund.updated",
        "refund.failed",
        "credit_note.voided",
        "invoice_payment.paid",
    } <= types


def test_events_from_before_an_upgrade_keep_their_old_shape(own: Clients) -> None:
    upgrade = instant(2025, 12, 20)
    assert own.stripe.put("/_sim/settings", json={"upgraded_at": "2025-12-20T00:00:00Z"}).status_code == 200
    seen: dict[str, set[str]] = {}
    for event in own.walk("/v1/events"):
        old = event["created"] * SECOND < upgrade
        assert event["api_version"] == ("2025-02-24.acacia" if old else "2026-10-28.endive")
        shape = event["data"]["object"]
        seen.setdefault(event["api_version"], set()).add(shape["object"])
        if shape["object"] == "invoice":
            assert ("parent" in shape, "paid" in shape) == (not old, old)
            for line in shape["lines"]["data"]:
                assert ("pricing" in line, "proration" in line) == (not old, old)
            if old and shape["billing_reason"].startswith("subscription"):
                assert shape["subscription"].startswith("sub_")
            assert old or "paid" not in event["data"].get("previous_attributes", {})
        if shape["object"] == "charge":
            assert ("invoice" in shape) == old
            assert not old or shape["invoice"].startswith("in_")
        if shape["object"] == "credit_note":
            assert ("refund" in shape, "refunds" in shape) == (old, not old)
        if shape["object"] == "subscription":
            assert ("current_period_end" in shape) == old
            assert ("current_period_end" in shape["items"]["data"][0]) == (not old)
    assert all({"invoice", "subscription", "customer"} <= kinds for kinds in seen.values())
    assert len(seen) == 2
