"""Payments agree with invoices, refunds with charges, and the balance with all of them."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from simulators.world.build import World
from simulators.world.moments import DAY, END
from simulators.world.money import CURRENCIES
from tests.simulators.conftest import DEMO, Clients

Shapes = dict[str, dict[str, Any]]


class Ledger:
    """Everything that is about money at one instant, by id."""

    def __init__(self, world: World, at: int) -> None:
        def of(name: str) -> Shapes:
            return {row.id: row.object for row in world.store[name].snapshot(at).rows}

        self.invoices, self.payments, self.charges = of("invoices"), of("invoice_payments"), of("charges")
        self.refunds, self.disputes, self.notes = of("refunds"), of("disputes"), of("credit_notes")
        self.transactions, self.payouts = of("balance_transactions"), of("payouts")


@pytest.fixture(params=[DEMO, DEMO + 2 * DAY, END - 1], ids=["demo", "two days later", "end"])
def ledger(request: pytest.FixtureRequest, world: World) -> Ledger:
    return Ledger(world, request.param)


def sums(shapes: Shapes, by: str, amount: str) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for shape in shapes.values():
        found[shape[by]] += shape[amount] or 0
    return found


def test_invoices_are_paid_by_their_payments(ledger: Ledger) -> None:
    paid = sums(ledger.payments, "invoice", "amount_paid")
    for id, invoice in ledger.invoices.items():
        assert paid.get(id, 0) == invoice["amount_paid"]
    kinds = {payment["payment"]["type"] for payment in ledger.payments.values()}
    assert kinds == {"payment_intent", "payment_record"}
    for payment in ledger.payments.values():
        invoice = ledger.invoices[payment["invoice"]]
        assert payment["currency"] == invoice["currency"]
        if payment["status"] == "open":
            assert invoice["status"] in ("open", "uncollectible")
            assert payment["amount_requested"] == invoice["amount_remaining"]
        elif payment["status"] == "canceled":
            assert invoice["status"] in ("void", "paid")
        else:
            assert payment["amount_paid"] == payment["amount_requested"]


def test_every_attempt_is_a_charge(ledger: Ledger) -> None:
    by_intent: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for charge in ledger.charges.values():
        by_intent[charge["payment_intent"]].append(charge)
    for payment in ledger.payments.values():
        charges = by_intent.pop(payment["payment"].get("payment_intent"), [])
        good = [charge for charge in charges if charge["status"] == "succeeded"]
        by_card = payment["status"] == "paid" and payment["payment"]["type"] == "payment_intent"
        assert [charge["amount"] for charge in good] == ([payment["amount_paid"]] if by_card else [])
        invoice = ledger.invoices[payment["invoice"]]
        if invoice["collection_method"] == "charge_automatically":
            assert len(charges) == invoice["attempt_count"]
    assert not by_intent
    failed = [charge for charge in ledger.charges.values() if charge["status"] == "failed"]
    assert failed
    assert all(charge["failure_code"] and charge["balance_transaction"] is None for charge in failed)


def test_refunds(ledger: Ledger) -> None:
    given = sums({id: r for id, r in ledger.refunds.items() if r["status"] != "failed"}, "charge", "amount")
    for id, charge in ledger.charges.items():
        assert charge["amount_refunded"] == given.get(id, 0) <= charge["amount"]
        assert charge["refunded"] == (charge["status"] == "succeeded" and given.get(id) == charge["amount"])
    assert {"succeeded", "failed"} <= {refund["status"] for refund in ledger.refunds.values()}


def test_credit_notes(ledger: Ledger) -> None:
    issued = {id: note for id, note in ledger.notes.items() if note["status"] == "issued"}
    before, after = (sums(issued, "invoice", f"{when}_payment_amount") for when in ("pre", "post"))
    for id, invoice in ledger.invoices.items():
        assert before.get(id, 0) == invoice["pre_payment_credit_notes_amount"]
        assert after.get(id, 0) == invoice["post_payment_credit_notes_amount"]
    assert before and after and len(issued) < len(ledger.notes)
    for note in ledger.notes.values():
        refunded = 0
        for part in note["refunds"]:
            refund = ledger.refunds[part["refund"]]
            assert refund["amount"] == part["amount_refunded"]
            assert refund["currency"] == note["currency"]
            refunded += refund["amount"]
        assert refunded + (note["out_of_band_amount"] or 0) == note["post_payment_amount"]
        assert note["pre_payment_amount"] + note["post_payment_amount"] == note["total"] == note["amount"]
        lines = note["lines"]["data"]
        assert sum(line["amount"] for line in lines) == note["subtotal"]
        taxes = [tax for line in lines for tax in line["taxes"]]
        assert sum(tax["amount"] for tax in taxes) == sum(tax["amount"] for tax in note["total_taxes"])
        exclusive = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
        assert note["total"] == note["subtotal"] + exclusive
        assert note["total_excluding_tax"] == note["total"] - sum(tax["amount"] for tax in taxes)


def test_disputes_take_and_give_back(ledger: Ledger) -> None:
    outcomes = set()
    for dispute in ledger.disputes.values():
        charge = ledger.charges[dispute["charge"]]
        assert charge["disputed"]
        assert dispute["amount"] == charge["amount"]
        moved = [ledger.transactions[part["id"]] for part in dispute["balance_transactions"]]
        assert moved == dispute["balance_transactions"], "a dispute shows its transactions as they are now"
        won = dispute["status"] == "won"
        assert len(moved) == (2 if won else 1)
        assert sum(part["net"] for part in moved) == (0 if won else moved[0]["amount"] - 1_500)
        assert moved[0]["amount"] < 0
        outcomes.add(dispute["status"])
    assert {"won", "lost"} <= outcomes


def test_balance_transactions(ledger: Ledger) -> None:
    sources: Shapes = {**ledger.charges, **ledger.refunds, **ledger.disputes, **ledger.payouts}
    types, currencies = set(), set()
    for transaction in ledger.transactions.values():
        assert transaction["currency"] == "usd"
        assert transaction["net"] == transaction["amount"] - transaction["fee"]
        assert transaction["fee"] == sum(part["amount"] for part in transaction["fee_details"])
        types.add(transaction["type"])
        if transaction["source"] is None:
            assert transaction["type"] == "stripe_fee"
            continue
        source = sources[transaction["source"]]
        currencies.add(source["currency"])
        assert (transaction["exchange_rate"] is None) == (source["currency"] == "usd")
        if transaction["exchange_rate"] and transaction["type"] in ("charge", "refund"):
            major = Decimal(source["amount"]).scaleb(-CURRENCIES[source["currency"]].exponent)
            exact = major * Decimal(str(transaction["exchange_rate"])) * 100
            assert abs(transaction["amount"]) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert types == {"charge", "refund", "refund_failure", "adjustment", "stripe_fee", "payout", "payout_failure"}
    assert currencies == set(CURRENCIES)
    named = [shape["balance_transaction"] for shape in sources.values() if shape.get("balance_transaction")]
    assert len(named) == len(set(named))
    assert set(named) <= set(ledger.transactions)


def test_a_payout_sends_what_is_available(ledger: Ledger) -> None:
    """Replayed from the movements alone: what had cleared by then and was not sent before."""
    moved = list(ledger.transactions.values())
    cleared = [(t["available_on"], t["net"]) for t in moved if t["type"] != "payout"]
    sent = [(t["created"], t["net"]) for t in moved if t["type"] == "payout"]
    kinds = set()
    for payout in ledger.payouts.values():
        gone = ledger.transactions[payout["balance_transaction"]]
        assert (gone["type"], gone["source"], gone["amount"]) == ("payout", payout["id"], -payout["amount"])
        assert gone["available_on"] == payout["arrival_date"]
        left = sum(net for at, net in cleared if at <= payout["created"]) + sum(
            net for at, net in sent if at <= payout["created"]
        )
        assert left == 0 if payout["automatic"] else left > 0
        assert (gone["fee"] > 0) == (payout["method"] == "instant") == (not payout["automatic"])
        if payout["status"] == "failed":
            back = ledger.transactions[payout["failure_balance_transaction"]]
            assert (back["type"], back["reporting_category"]) == ("payout_failure", "payout_reversal")
            assert (back["amount"], back["source"], back["status"]) == (payout["amount"], payout["id"], "available")
        kinds.add((payout["status"], payout["automatic"]))
    assert kinds >= {("in_transit", True), ("paid", True), ("failed", True), ("paid", False)}


def test_money_clears_in_silence(clients: Clients) -> None:
    pending = {t["id"]: t for t in clients.walk("/v1/balance_transactions") if t["status"] == "pending"}
    assert pending
    clients.simulation.set_clock(DEMO + 3 * DAY)
    later = {t["id"]: t for t in clients.walk("/v1/balance_transactions")}
    assert all(later[id] == {**shape, "status": "available"} for id, shape in pending.items())
    told = {event["data"]["object"]["id"] for event in clients.walk("/v1/events")}
    assert not told & later.keys()


def test_the_balance_is_the_sum(clients: Clients) -> None:
    found = clients.stripe.get("/v1/balance").json()
    expected: dict[str, int] = defaultdict(int)
    for transaction in clients.walk("/v1/balance_transactions"):
        on_its_way = transaction["type"] == "payout"
        expected["available" if on_its_way else transaction["status"]] += transaction["net"]
    assert {name: found[name][0]["amount"] for name in expected} == expected


def test_payments_lead_from_charges_to_invoices(clients: Clients) -> None:
    charge = next(c for c in clients.walk("/v1/charges") if c["status"] == "succeeded")
    asked = {"payment[type]": "payment_intent", "payment[payment_intent]": charge["payment_intent"]}
    (payment,) = clients.walk("/v1/invoice_payments", **asked)
    assert clients.walk("/v1/invoice_payments", invoice=payment["invoice"]) == [payment]
    invoice = clients.stripe.get(f"/v1/invoices/{payment['invoice']}", params={"expand[]": "payments"}).json()
    assert invoice["payments"]["data"] == [payment]
    assert {p["status"] for p in clients.walk("/v1/invoice_payments", status="open")} == {"open"}
    assert clients.stripe.get("/v1/invoice_payments?payment[type]=cash").status_code == 400


def test_refunds_are_shown_inside_of_charges_on_demand(clients: Clients) -> None:
    refund = clients.walk("/v1/refunds")[0]
    plain = clients.stripe.get(f"/v1/charges/{refund['charge']}").json()
    assert "refunds" not in plain
    full = clients.stripe.get(f"/v1/charges/{refund['charge']}", params={"expand[]": "refunds"}).json()
    assert refund in full["refunds"]["data"]
    assert clients.walk(full["refunds"]["url"]) == full["refunds"]["data"]
    assert {r["charge"] for r in clients.walk("/v1/refunds", charge=refund["charge"])} == {refund["charge"]}
    deep = clients.stripe.get(
        f"/v1/refunds/{refund['id']}", params={"expand[]": ["charge.customer", "balance_transaction"]}
    ).json()
    assert deep["charge"]["customer"]["object"] == "customer"
    assert deep["balance_transaction"]["source"] == refund["id"]


def test_long_credit_notes_are_paged(clients: Clients) -> None:
    long = [note for note in clients.walk("/v1/credit_notes") if note["lines"]["has_more"]]
    assert long
    for note in long:
        lines = clients.walk(note["lines"]["url"], limit=40)
        assert len(note["lines"]["data"]) == 10
        assert lines[:10] == note["lines"]["data"]
        assert len(lines) == note["lines"]["total_count"] > 10


def test_filters_of_the_balance(clients: Clients) -> None:
    everything = clients.walk("/v1/balance_transactions")
    fees = clients.walk("/v1/balance_transactions", type="stripe_fee")
    assert fees == [t for t in everything if t["type"] == "stripe_fee"]
    one = everything[5]
    assert one in clients.walk("/v1/balance_transactions", source=one["source"])
    assert clients.walk("/v1/balance_transactions", payout="po_none") == []
    payouts = clients.walk("/v1/payouts", status="failed")
    assert payouts == [payout for payout in clients.walk("/v1/payouts") if payout["status"] == "failed"]
    arrival = payouts[0]["arrival_date"]
    arrived = clients.walk("/v1/payouts", **{"arrival_date[gte]": arrival, "arrival_date[lte]": arrival})
    assert payouts[0] in arrived and {payout["arrival_date"] for payout in arrived} == {arrival}


def test_coupons_come_and_go(clients: Clients) -> None:
    assert clients.stripe.get("/v1/coupons/LAUNCH").json()["percent_off"] == 15.0
    clients.simulation.set_clock(DEMO + DAY)
    assert clients.stripe.get("/v1/coupons/LAUNCH").status_code == 404
    assert "LAUNCH" not in {coupon["id"] for coupon in clients.walk("/v1/coupons")}
    clients.simulation.set_clock(DEMO + DAY + DAY // 4)
    coupon = clients.stripe.get("/v1/coupons/LAUNCH").json()
    assert coupon["percent_off"] == 30.0
    assert clients.walk("/v1/coupons")[0]["created"] >= coupon["created"]
    assert coupon["id"] in {c["id"] for c in clients.walk("/v1/coupons", **{"created[gte]": coupon["created"]})}


def test_objects_on_test_clocks_are_out_of_the_way(clients: Clients) -> None:
    hidden = [line["object"] for line in clients.books("customers", on_test_clocks="true")]
    (customer,) = [shape for shape in hidden if shape["test_clock"]]
    assert customer["id"] not in {line["id"] for line in clients.books("customers")}
    for name in ("customers", "subscriptions", "invoices"):
        params = {"status": "all"} if name == "subscriptions" else {}
        assert all(shape["test_clock"] is None for shape in clients.walk(f"/v1/{name}", **params))
    assert clients.walk("/v1/customers", test_clock=customer["test_clock"]) == [customer]
    assert clients.walk("/v1/subscriptions", status="all", test_clock=customer["test_clock"])
    assert clients.walk("/v1/invoices", customer=customer["id"])
    assert clients.stripe.get(f"/v1/customers/{customer['id']}").status_code == 200
