"""Payloads recorded from Stripe, old and new, through the contracts: no reject, no drift, the same values."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from local.settings import ROOT
from tests.oracle import stripe_rows
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import TableSpec
from tributary.flatten.careful import CarefulReader
from tributary.flatten.reader import Reader
from tributary.flatten.rows import Reading, own_columns, row_type
from tributary.sources import source
from tributary.sources.base import Page

EXAMPLES = ROOT.parent / "shared" / "api" / "stripe" / "examples"
Json = dict[str, Any]
Rows = dict[str, list[Json]]

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the recorded payloads of Stripe are not there")

#: `object` of a payload -> the table that it fills.
TABLES = {
    "balance_transaction": "balance_transactions",
    "charge": "charges",
    "coupon": "coupons",
    "credit_note": "credit_notes",
    "credit_note_line_item": "credit_note_lines",
    "customer": "customers",
    "discount": "subscription_discounts",
    "dispute": "disputes",
    "event": "events",
    "invoice": "invoices",
    "invoice_payment": "invoice_payments",
    "line_item": "invoice_lines",
    "price": "prices",
    "product": "products",
    "refund": "refunds",
    "subscription": "subscriptions",
    "subscription_item": "subscription_items",
}


def _tables() -> dict[str, TableSpec]:
    return {table.stream: table for contract in load_contracts("stripe").values() for table in contract.tables}


def flattened(record: Json) -> tuple[Rows, list[str]]:
    """A payload as the rows of its table and of that table's children, and every field that drifted."""
    table = _tables()[TABLES[record["object"]]]
    body = msgspec.Raw(json.dumps(record).encode())
    if table.child:
        # A nested item by itself: its parent has nothing to inherit.
        parent = row_type(table.contract.tables[0])()
        found, drift = CarefulReader(source("stripe"), table.contract).items(table.stream, parent, [body])
        rows = {table.stream: found}
        drifted = [(table.stream, one) for one in drift]
    else:
        page = Page(observed_at=datetime.now(UTC), body=body)
        [reading] = Reader(source("stripe"), table.contract).records(page)
        assert isinstance(reading, Reading), reading
        rows = {table.stream: [reading.row], **{stream: list(items) for stream, items in reading.children if items}}
        drifted = list(reading.drift)
    return (
        {stream: [_plain(stream, row) for row in found] for stream, found in rows.items()},
        [f"{stream}.{one.path} ({one.kind}, {one.found})" for stream, one in drifted],
    )


def _plain(stream: str, row: Any) -> Json:
    """The row's own columns, those that are null too; what a child inherits is its parent's."""
    found = json.loads(msgspec.json.encode(row))
    return {column.name: found.get(column.name) for column in own_columns(_tables()[stream])}


def _read(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text())


def _legacy() -> dict[str, Json]:
    """Events of 2020 to 2023, by name."""
    events: dict[str, Json] = _read("legacy_events.supabase.json")["events"] if EXAMPLES.exists() else {}
    return events


def _payloads() -> Iterator[tuple[str, Json]]:
    """Everything that is recorded: events and their objects, objects and what is nested in them."""
    if not EXAMPLES.exists():
        return
    for number, charge in enumerate(_read("recorded_charge_list.zulip.json")["body"]["data"]):
        yield f"recorded-charge-{number}", charge
    yield "recorded-customer-expanded", _read("recorded_customer_retrieve_expanded.zulip.json")["body"]
    events = {"recorded-invoice_paid": _read("recorded_event_invoice_paid.zulip.json")["body"]}
    events |= {f"legacy-{name}": event for name, event in _legacy().items()}
    for name, event in events.items():
        yield f"{name}-event", event
        yield f"{name}-object", event["data"]["object"]
    for name, resource in _read("openapi_fixtures3_subset.json")["resources"].items():
        yield f"specification-{name}", resource


PAYLOADS = [(name, o) for name, o in _payloads() if o["object"] in TABLES and not o.get("deleted")]


def test_the_recordings_cover_every_table() -> None:
    assert len(PAYLOADS) > 40
    seen = {table for _, payload in PAYLOADS for table in flattened(payload)[0]}
    # their invoices were lowered by no discount, and nothing was paid out
    assert {table.stream for table in _tables().values()} - seen == {"invoice_discounts", "payouts"}


@pytest.mark.parametrize(("name", "payload"), PAYLOADS, ids=[name for name, _ in PAYLOADS])
def test_a_recorded_payload_has_no_drift_and_is_no_reject(name: str, payload: Json) -> None:
    rows, drifted = flattened(payload)
    assert drifted == []
    [row] = rows[TABLES[payload["object"]]]
    assert row["id"] == payload["id"]
    assert sum(value is not None for value in row.values()) > 2


def test_an_unknown_field_would_be_noticed() -> None:
    payload = dict(PAYLOADS[0][1]) | {"surprise": 1}
    assert flattened(payload)[1] == ["charges.surprise (unknown, integer)"]


# -- the same objects as today's API would write them ------------------------------------------------------------------


def _modern_invoice(old: Json) -> Json:
    new = deepcopy(old)
    subscription, quote = new.pop("subscription"), new.pop("quote")
    new["parent"] = subscription and {
        "type": "subscription_details",
        "subscription_details": {"subscription": subscription, "metadata": {}},
        "quote_details": quote,
    }
    for gone in ("charge", "payment_intent", "paid", "paid_out_of_band", "application_fee_amount", "transfer_data"):
        del new[gone]
    new["total_taxes"] = new.pop("total_tax_amounts")
    for gone in ("tax", "discount"):
        del new[gone]
    new["lines"]["data"] = [_modern_line(line) for line in new["lines"]["data"]]
    return new


def _modern_line(line: Json) -> Json:
    price, kind, subscription = line.pop("price"), line.pop("type"), line.pop("subscription")
    details = {
        "proration": line.pop("proration"),
        "proration_details": line.pop("proration_details", None),
        "subscription": subscription,
        "invoice_item": line.pop("invoice_item", None),
    }
    item = line.pop("subscription_item", None)
    recurring = kind == "subscription"
    line["parent"] = {
        "type": "subscription_item_details" if recurring else "invoice_item_details",
        "subscription_item_details": details | {"subscription_item": item} if recurring else None,
        "invoice_item_details": None if recurring else details,
    }
    line["pricing"] = {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    line["taxes"] = line.pop("tax_amounts")
    for gone in ("plan", "amount_excluding_tax", "unit_amount_excluding_tax", "tax_rates"):
        line.pop(gone, None)
    return line


def _modern_subscription(old: Json) -> Json:
    new = deepcopy(old)
    period = {name: new.pop(name) for name in ("current_period_start", "current_period_end")}
    for item in new["items"]["data"]:
        item.update(period)
        del item["plan"]
    new["currency"] = new["plan"]["currency"]
    for gone in ("discount", "plan", "quantity", "tax_percent"):
        del new[gone]
    return new


def _modern_credit_note(old: Json) -> Json:
    new = deepcopy(old)
    refund = new.pop("refund")
    new["refunds"] = [{"refund": refund, "amount_refunded": new["amount"]}] if refund else None
    new["total_taxes"] = new.pop("tax_amounts")
    for line in new["lines"]["data"]:
        line["taxes"] = line.pop("tax_amounts")
        del line["amount_excluding_tax"], line["unit_amount_excluding_tax"]
    return new


def _modern_charge(old: Json) -> Json:
    return {name: value for name, value in old.items() if name not in ("invoice", "refunds")}


#: Legacy event -> its object in today's shape, and the columns whose values really stand elsewhere now.
MOVES: dict[str, tuple[Callable[[Json], Json], set[str]]] = {
    # the kind of origin has no old form, and that of a line has other words (staging translates them)
    "invoice_paid": (_modern_invoice, {"parent_type", "line_type"}),
    "invoice_deleted": (_modern_invoice, {"parent_type", "line_type"}),
    # from the subscription to its items
    "subscription_created": (_modern_subscription, {"current_period_start", "current_period_end"}),
    "subscription_updated": (_modern_subscription, {"current_period_start", "current_period_end"}),
    # invoice payments tell now
    "charge_refunded": (_modern_charge, {"invoice_id"}),
    "credit_note_created": (_modern_credit_note, {"refunds"}),
}


@pytest.mark.parametrize("name", MOVES)
def test_both_shapes_give_the_same_values(name: str) -> None:
    old = _legacy()[name]["data"]["object"]
    modern, elsewhere = MOVES[name]
    before, _ = flattened(old)
    after, drifted = flattened(modern(old))
    assert drifted == []
    assert before.keys() == after.keys()

    def alike(rows: list[Json]) -> list[Json]:
        return [{column: value for column, value in row.items() if column not in elsewhere} for row in rows]

    for table in before:
        assert alike(before[table]) == alike(after[table]), table


def test_what_moved_is_read_from_both_places() -> None:
    """So that the comparison above does not hold for nulls alone."""
    invoice, _ = flattened(_legacy()["invoice_paid"]["data"]["object"])
    assert invoice["invoices"][0]["subscription_id"] == "sub_JsuPyCPhXWfZar"
    [line] = invoice["invoice_lines"]
    assert (line["price_id"], line["product_id"]) == ("price_1IDQm5JDPojXS6LNM31hxKzp", "prod_Ip4vqwv3EJ7Mi0")
    assert (line["subscription_id"], line["subscription_item_id"]) == ("sub_JsuPyCPhXWfZar", "si_JsuPFzrp9vSWxa")
    assert (line["proration"], line["unit_amount_decimal"]) == (False, "0")
    subscription, _ = flattened(_legacy()["subscription_created"]["data"]["object"])
    [agreement] = subscription["subscriptions"]
    assert (agreement["currency"], agreement["current_period_end"]) == ("usd", "2021-07-08T10:41:58Z")
    assert {item["price_id"] for item in subscription["subscription_items"]} == {"price_1IDQm5JDPojXS6LNM31hxKzp"}
    charge, _ = flattened(_legacy()["charge_refunded"]["data"]["object"])
    assert charge["charges"][0]["invoice_id"] == "in_1KJdKkJDPojXS6LNSwSWkZSN"
    expanded, _ = flattened(_read("recorded_customer_retrieve_expanded.zulip.json")["body"])
    assert expanded["customers"][0]["default_payment_method_id"] == "add_minimum_licenses--Customer.retrieve.1.json"


@pytest.mark.parametrize("coupon", ["off20", {"id": "off20", "object": "coupon", "percent_off": 20}])
def test_a_discount_names_its_coupon_wherever_it_stands(coupon: Any) -> None:
    today = {
        "id": "di_1",
        "object": "discount",
        "start": 1,
        "end": None,
        "source": {"type": "coupon", "coupon": coupon},
    }
    former = {"id": "di_1", "object": "discount", "start": 1, "end": None, "coupon": coupon}
    template = _read("recorded_event_invoice_paid.zulip.json")["body"]["data"]["object"]
    for discount in (today, former):
        rows, drifted = flattened(discount)
        assert drifted == []
        [row] = rows["subscription_discounts"]
        assert (row["id"], row["coupon_id"], row["started_at"]) == ("di_1", "off20", "1970-01-01T00:00:01Z")
        rows, drifted = flattened(template | {"total_discount_amounts": [{"amount": 250, "discount": discount}]})
        assert drifted == []
        [row] = rows["invoice_discounts"]
        assert (row["discount_id"], row["amount"], row["coupon_id"]) == ("di_1", 250, "off20")
    # not expanded, or deleted since: what it took off is still there
    bare: tuple[Any, ...] = ("di_1", {"id": "di_1", "object": "discount", "deleted": True})
    for named in bare:
        rows, _ = flattened(template | {"total_discount_amounts": [{"amount": 250, "discount": named}]})
        [row] = rows["invoice_discounts"]
        assert (row["discount_id"], row["amount"], row["coupon_id"]) == ("di_1", 250, None)


# -- the oracle reads the same values ----------------------------------------------------------------------------------

#: `object` -> what the oracle makes of it: rows of its table, then of its child table.
ORACLE: dict[str, tuple[Callable[[Json], Json], Callable[[Json], list[Json]] | None]] = {
    "balance_transaction": (stripe_rows.balance_transaction, None),
    "charge": (stripe_rows.charge, None),
    "coupon": (stripe_rows.coupon, None),
    "credit_note": (stripe_rows.credit_note, stripe_rows.credit_note_lines),
    "dispute": (stripe_rows.dispute, None),
    "event": (stripe_rows.event, None),
    "invoice_payment": (stripe_rows.invoice_payment, None),
    "refund": (stripe_rows.refund, None),
}


def _stored(row: Json) -> Json:
    """A row of the oracle's, which are as BigQuery returns them, as it is staged."""

    def text(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        return str(value) if isinstance(value, Decimal) else value

    return {column: text(value) for column, value in row.items()}


@pytest.mark.parametrize("kind", ORACLE)
def test_the_oracle_and_the_contract_agree_on_the_published_object(kind: str) -> None:
    payload = dict(PAYLOADS)[f"specification-{kind}"]
    own, children = ORACLE[kind]
    rows, _ = flattened(payload)
    assert rows.pop(TABLES[kind]) == [_stored(own(payload))]
    assert len(rows) == (children is not None)
    for child_rows in rows.values():
        assert children is not None
        expected = [_stored(row) for row in children(payload)]
        assert [expected_row | row for expected_row, row in zip(expected, child_rows, strict=True)] == expected
