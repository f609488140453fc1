"""The world itself: the same every time, quick to make, and with every case that it promises."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from simulators.world.build import HUBSPOT_COLLECTIONS, STRIPE_COLLECTIONS, World, build
from simulators.world.crm_links import LINKS_BY_NAME
from simulators.world.crm_types import KINDS
from simulators.world.moments import BUSY_DAYS, DAY, END, START, add_months, instant, iso, parse
from simulators.world.money import CURRENCIES
from simulators.world.store import JsonObject, Record

DEMO = parse("2026-01-04T06:00:00Z")


def fingerprint(world: World) -> str:
    digest = hashlib.sha256()
    for name, collection in sorted(world.store.collections.items()):
        for id, record in collection.records.items():
            for version in record.versions:
                digest.update(json.dumps([name, id, version.at, version.gone, version.object]).encode())
    for event in world.store.events:
        digest.update(f"{event.at}{event.type}{event.id}{event.version}".encode())
    return digest.hexdigest()


def test_equal_arguments_give_equal_worlds() -> None:
    assert fingerprint(build(3, 25)) == fingerprint(build(3, 25))
    assert fingerprint(build(3, 25)) != fingerprint(build(4, 25))


def test_another_process_makes_the_same_world() -> None:
    code = (
        "from simulators.world.build import build\n"
        "from tests.simulators.test_world import fingerprint\n"
        "print(fingerprint(build(3, 25)))"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert prints == {fingerprint(build(3, 25)) + "\n"}


def test_a_world_is_quick_to_make() -> None:
    began = time.process_time()
    build(42, 300)
    middle = time.process_time()
    build(42, 25)
    assert middle - began < 3.0
    assert time.process_time() - middle < 1.0


@pytest.mark.parametrize("customers", [1, 10, 60])
def test_any_size_works(customers: int) -> None:
    assert build(1, customers).store["customers"].records


def test_no_customers_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one customer"):
        build(1, 0)


def live(world: World, name: str, at: int = DEMO) -> list[JsonObject]:
    return [row.object for row in world.store[name].snapshot(at).rows]


@pytest.fixture(scope="module", params=["world", "small_world"])
def any_world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def test_every_busy_day_creates_and_changes_something_everywhere(any_world: World) -> None:
    for name in (*STRIPE_COLLECTIONS, *KINDS):
        for day in BUSY_DAYS:
            records = any_world.store[name].records.values()
            first = [record.versions[0].at for record in records]
            changed = [version.at for record in records if record.created < day for version in record.versions[1:]]
            assert any(day <= at < day + DAY for at in first), f"nothing new in {name} on {iso(day)}"
            assert any(day <= at < day + DAY for at in changed), f"nothing changed in {name} on {iso(day)}"


def gone_on(world: World, name: str, day: int) -> Counter[str]:
    versions = [version for record in world.store[name].records.values() for version in record.versions]
    return Counter(version.gone for version in versions if version.gone and day <= version.at < day + DAY)


def test_customers_and_contacts_leave_within_the_demo_days(any_world: World) -> None:
    days = {day: instant(2026, 1, day) for day in (4, 5, 6)}
    assert gone_on(any_world, "customers", days[4])["deleted"]
    assert gone_on(any_world, "customers", days[5])["deleted"]
    for day in (days[4], days[5]):
        assert gone_on(any_world, "contacts", day)["merged"]
        assert gone_on(any_world, "contacts", day)["archived"]
        assert gone_on(any_world, "companies", day)["archived"]
        assert gone_on(any_world, "deals", day)["archived"]
        assert gone_on(any_world, "products", day)["deleted"] == 1
        assert gone_on(any_world, "prices", day)["deleted"] == 1
    assert gone_on(any_world, "invoices", days[5])["deleted"] == 1


def test_the_default_world_also_loses_customers_on_the_sixth(world: World) -> None:
    assert gone_on(world, "customers", instant(2026, 1, 6))["deleted"]


def test_big_invoices_and_subscriptions(any_world: World) -> None:
    assert {10, 11, 101, 120, 250} <= {len(i["lines"]["data"]) for i in live(any_world, "invoices", DEMO + DAY)}
    assert {12, 13} <= {len(shape["items"]["data"]) for shape in live(any_world, "subscriptions")}
    assert {10, 11, 101} <= {len(note["lines"]["data"]) for note in live(any_world, "credit_notes", DEMO + DAY)}
    for day in (instant(2026, 1, 4), instant(2026, 1, 5)):
        new = [r for r in any_world.store["invoices"].records.values() if day <= r.created < day + DAY]
        assert {11, 120} <= {len(record.versions[0].object["lines"]["data"]) for record in new}


def test_addresses_are_a_mess(any_world: World) -> None:
    stripe = [shape["email"] for shape in live(any_world, "customers")]
    crm = {shape["properties"]["email"] for shape in live(any_world, "contacts")}
    known = {email.lower() for email in crm if email}
    assert None in stripe
    assert any(count > 1 for count in Counter(filter(None, stripe)).values())
    assert any(email and email not in crm and email.lower() in known for email in stripe)
    assert any(email and "+" in email for email in stripe)


def test_a_contact_is_marked_churned_while_its_subscription_is_active(any_world: World) -> None:
    active = {s["customer"] for s in live(any_world, "subscriptions") if s["status"] == "active"}
    paying = {(c["email"] or "").lower() for c in live(any_world, "customers") if c["id"] in active}
    churned = [c["properties"] for c in live(any_world, "contacts") if c["properties"]["customer_status"] == "churned"]
    wrong = [properties for properties in churned if (properties["email"] or "").lower() in paying]
    assert wrong
    assert all(properties["lifecyclestage"] == "customer" for properties in wrong)


def test_currencies_and_statuses(world: World) -> None:
    assert {shape["currency"] for shape in live(world, "invoices")} == set(CURRENCIES)
    exponents = Counter(money.exponent for money in CURRENCIES.values())
    assert len(CURRENCIES) == 15
    assert exponents == {0: 3, 2: 9, 3: 3}
    assert {shape["status"] for shape in live(world, "invoices")} == {"draft", "open", "paid", "uncollectible", "void"}
    statuses = {shape["status"] for shape in live(world, "subscriptions")}
    assert {"active", "canceled", "trialing", "incomplete_expired"} <= statuses
    ever = {v.object["status"] for r in world.store["subscriptions"].records.values() for v in r.versions}
    assert {"past_due", "unpaid", "incomplete"} <= ever


def test_billing_has_its_corners(world: World) -> None:
    invoices = live(world, "invoices")
    assert any(invoice["total"] < 0 for invoice in invoices)
    assert any(invoice["starting_balance"] < 0 and invoice["total"] > 0 for invoice in invoices)
    assert any(invoice["total_discount_amounts"] for invoice in invoices)
    assert any(invoice["post_payment_credit_notes_amount"] for invoice in invoices)
    assert any(invoice["collection_method"] == "send_invoice" for invoice in invoices)
    late = [
        i for i in invoices if i["status"] == "paid" and i["status_transitions"]["paid_at"] - i["created"] > 7 * 86_400
    ]
    assert len(late) > 10
    lines = [line for invoice in invoices for line in invoice["lines"]["data"]]
    prorations = [line for line in lines if (line["parent"]["subscription_item_details"] or {}).get("proration")]
    assert any(line["amount"] < 0 for line in prorations)
    assert any(line["amount"] > 0 for line in prorations)
    assert any(line["pricing"] is None for line in lines)
    by_customer = Counter(shape["customer"] for shape in live(world, "subscriptions"))
    assert max(by_customer.values()) > 1, "nobody was won back"


def test_drafts_are_finalised_after_an_hour(world: World) -> None:
    waits = set()
    for record in world.store["invoices"].records.values():
        first = record.versions[0]
        if first.object["billing_reason"] == "subscription_cycle" and first.object["automatically_finalizes_at"]:
            later = [v for v in record.versions if v.object["status_transitions"]["finalized_at"]]
            waits |= {version.at - first.at for version in later[:1]}
    assert waits == {3_600_000}


def test_versions_are_in_order_and_within_the_world(any_world: World) -> None:
    for collection in any_world.store.collections.values():
        for record in collection.records.values():
            times = [version.at for version in record.versions]
            assert times == sorted(times)
            # A merged contact keeps its older creation date.
            assert START - DAY <= record.created <= times[0] < END


def test_references_lead_somewhere(any_world: World) -> None:
    store = any_world.store

    def existed(name: str, id: str, at: int) -> bool:
        record: Record | None = store[name].records.get(id)
        return record is not None and record.versions[0].at <= at

    for record in store["subscriptions"].records.values():
        for version in record.versions:
            assert existed("customers", version.object["customer"], version.at)
            assert all(existed("prices", item["price"]["id"], version.at) for item in version.object["items"]["data"])
            latest = version.object["latest_invoice"]
            assert latest is None or existed("invoices", latest, version.at)
    for record in store["invoices"].records.values():
        first = record.versions[0]
        assert existed("customers", first.object["customer"], first.at)
        for line in first.object["lines"]["data"]:
            assert line["pricing"] is None or existed("prices", line["pricing"]["price_details"]["price"], first.at)
    for link in LINKS_BY_NAME.values():
        for record in store[link.name].records.values():
            first = record.versions[0]
            assert existed(link.source, first.object[link.source_field], first.at)
            assert existed(link.target, first.object[link.target_field], first.at)


def test_live_associations_join_live_records(any_world: World) -> None:
    for at in (DEMO, DEMO + DAY, DEMO + 2 * DAY, END - 1):
        deals = {shape["id"]: shape for shape in live(any_world, "deals", at)}
        contacts = {shape["id"] for shape in live(any_world, "contacts", at)}
        links = live(any_world, "deal_contacts", at)
        assert all(link["deal_id"] in deals and link["contact_id"] in contacts for link in links)
        counts = Counter(link["deal_id"] for link in links)
        for id, deal in deals.items():
            assert int(deal["properties"]["num_associated_contacts"]) == counts[id]


def test_every_change_of_a_deals_contacts_changes_the_deal(any_world: World) -> None:
    changes = {
        (record.id.split(":")[0], version.at)
        for record in any_world.store["deal_contacts"].records.values()
        for version in record.versions
    }
    deals = any_world.store["deals"].records
    for deal, at in changes:
        assert any(version.at == at for version in deals[deal].versions)


def test_old_objects_change_late(any_world: World) -> None:
    """What no window of creation finds: a draft of 40 days ago is paid, a subscription of 200 days ago cancelled."""
    day = BUSY_DAYS[2]

    def aged(name: str, days: int) -> list[Record]:
        records = any_world.store[name].records.values()
        return [r for r in records if day - days * DAY <= r.created < day - (days - 1) * DAY]

    (draft,) = [r for r in aged("invoices", 40) if r.at(day).object["status"] == "draft"]  # type: ignore[union-attr]
    assert draft.at(day + DAY).object["status"] == "paid"  # type: ignore[union-attr]
    ended = [r.id for r in aged("subscriptions", 200) if r.versions[-1].object["status"] == "canceled"]
    assert any(
        event.type == "customer.subscription.deleted" and event.id in ended
        for event in any_world.store.events_between(day, day + DAY)
    )


def test_a_coupon_comes_back_under_its_id(any_world: World) -> None:
    versions = any_world.store["coupons"].records["LAUNCH"].versions
    assert [version.gone for version in versions if version.gone] == ["deleted", "deleted"]
    created = [version.created for version in versions]
    assert len(set(created)) == 3
    assert len({version.object["percent_off"] for version in versions}) == 2
    at = BUSY_DAYS[2]
    assert any_world.store["coupons"].records["LAUNCH"].at(at).gone == "deleted"  # type: ignore[union-attr]
    assert any_world.store["coupons"].snapshot(at + DAY).get("LAUNCH") is not None


def test_many_events_share_a_second(any_world: World) -> None:
    seconds = Counter(event.at for event in any_world.store.events_between(BUSY_DAYS[0], BUSY_DAYS[2]))
    assert max(seconds.values()) > 5


def test_months_end_where_they_must() -> None:
    january = instant(2025, 1, 31, 12)
    assert iso(add_months(january, 1, 31)) == "2025-02-28T12:00:00.000Z"
    assert iso(add_months(january, 2, 31)) == "2025-03-31T12:00:00.000Z"
    assert iso(add_months(instant(2025, 12, 5), 1, 5)) == "2026-01-05T00:00:00.000Z"


def test_hubspot_collections_hold_what_they_should(world: World) -> None:
    sizes = {name: len(live(world, name)) for name in HUBSPOT_COLLECTIONS}
    assert sizes["pipelines"] == 2
    assert sizes["owners"] >= 4
    assert world.store["owners"].snapshot(DEMO).archived
    ids = [shape["id"] for shape in live(world, "contacts")]
    assert ids != sorted(ids), "ids should not sort the same as text"
    assert int(ids[-1]) > 2**53
    assert any(len(c["properties"]["hs_merged_object_ids"] or "") > 0 for c in live(world, "contacts"))


@pytest.mark.parametrize("name", LINKS_BY_NAME)
def test_live_edges_join_live_records_of_every_kind(any_world: World, name: str) -> None:
    link = LINKS_BY_NAME[name]
    for at in (DEMO, DEMO + DAY, DEMO + 2 * DAY, END - 1):
        edges = live(any_world, name, at)
        assert edges
        sources = {shape["id"] for shape in live(any_world, link.source, at)}
        targets = {shape["id"] for shape in live(any_world, link.target, at)}
        assert {edge[link.source_field] for edge in edges} <= sources
        assert {edge[link.target_field] for edge in edges} <= targets


def test_unique_properties_are_unique(any_world: World) -> None:
    for kind, known in any_world.properties.items():
        unique = [name for name, property in known.items() if property.unique]
        for at in (DEMO, END - 1):
            for name in unique:
                values = [shape["properties"][name] for shape in live(any_world, kind, at)]
                present = [value for value in values if value]
                assert len(present) == len(set(present)), f"{kind}.{name}"
