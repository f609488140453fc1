"""Cash that came in from people and stayed, payment by payment, from raw rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from tests.oracle.given_back import came_in, given_back, invoices_of_charges, past_stripe
from tests.oracle.raw import Row, Table
from tests.oracle.values import major


@dataclass(frozen=True)
class Payment:
    """What came in by one payment, and what is left of it. Its person is a key."""

    person: str
    currency: str
    paid_at: datetime
    gross: Decimal
    amount: Decimal


def expected_payments(raw: Mapping[str, Table], as_of: datetime, people: Mapping[str, str]) -> list[Payment]:
    """Charges and payments past Stripe before `as_of`, less what went back before it; `people` leads from billing
    customers to persons. Payments of nobody are left out."""
    charges = {r["id"]: r for r in raw["stripe_charges"].values() if came_in(r) and r["created"] < as_of}
    outside = {
        r["id"]: r
        for r in raw["stripe_invoice_payments"].values()
        if r["status"] == "paid" and r["payment_record_id"] and r["paid_at"] < as_of
    }
    back = _given_back(raw, as_of, charges, outside)
    payments = []
    for id_, row in charges.items():
        if row["customer_id"]:
            payments.append((row["customer_id"], row["currency"], row["created"], row["amount_captured"], back[id_]))
    for id_, row in outside.items():
        customer = raw["stripe_invoices"][row["invoice_id"],]["customer_id"]
        payments.append((customer, row["currency"], row["paid_at"], row["amount_paid"], back[id_]))
    return [
        Payment(people[who], currency, at, major(gross, currency), major(gross - lost, currency))
        for who, currency, at, gross, lost in payments
    ]


def expected_marks(raw: Mapping[str, Table], as_of: datetime) -> list[tuple[str, str, int]]:
    """(customer, currency, minor units) of every invoice that says it was paid and of which no payment is known."""
    invoices = invoices_of_charges(raw)
    recorded: dict[str | None, int] = defaultdict(int)
    for row in raw["stripe_charges"].values():
        if came_in(row):
            recorded[invoices.get(row["id"])] += 0
    for row in raw["stripe_invoice_payments"].values():
        if row["status"] == "paid":
            recorded[row["invoice_id"]] += row["amount_paid"] if row["payment_record_id"] else 0
    marks = []
    for row in raw["stripe_invoices"].values():
        paid_at = row["paid_at"] or row["finalized_at"] or row["created"]
        if row["status"] != "paid" or row["_deleted"] or row["amount_due"] <= 0 or paid_at >= as_of:
            continue
        whole = max(row["amount_due"], row["amount_paid"])
        rest = (row["amount_paid_off_stripe"] or 0) - recorded.get(row["id"], 0)
        amount = rest if row["id"] in recorded else whole
        if amount > 0:
            marks.append((row["customer_id"], row["currency"], amount))
    return marks


def _given_back(
    raw: Mapping[str, Table], as_of: datetime, charges: Mapping[str, Row], outside: Mapping[str, Row]
) -> Mapping[str, int]:
    """Payment -> what of it went back, in minor units."""
    back: dict[str, int] = defaultdict(int)
    for piece in given_back(raw, as_of):
        back[piece.charge] += piece.amount
    invoices = invoices_of_charges(raw)
    of_invoice: dict[str | None, list[tuple[bool, datetime, str]]] = defaultdict(list)
    for id_, row in charges.items():
        of_invoice[invoices.get(id_)].append((True, row["created"], id_))
    for id_, row in outside.items():
        of_invoice[row["invoice_id"]].append((False, row["paid_at"], id_))
    for row in raw["stripe_credit_notes"].values():
        payments = of_invoice.get(row["invoice_id"])
        if past_stripe(row) and payments and row["created"] < as_of:
            back[min(payments)[2]] += past_stripe(row)
    return back


def expected_balances(raw: Mapping[str, Table], as_of: datetime, zone: tzinfo) -> dict[tuple[str, date], Decimal]:
    """(currency, day) -> what Stripe held at the end of a day on which something moved, by its own net amounts."""
    held: dict[str, int] = defaultdict(int)
    balances = {}
    for row in sorted(raw["stripe_balance_transactions"].values(), key=lambda row: row["created"]):
        if row["created"] < as_of:
            held[row["currency"]] += row["net"]
            day = row["created"].astimezone(zone).date()
            balances[row["currency"], day] = major(held[row["currency"]], row["currency"])
    return balances


def expected_payouts(raw: Mapping[str, Table], as_of: datetime) -> list[Row]:
    """What was sent to the bank, payout by payout, with what had become available for it since the one before."""
    moved = [row for row in raw["stripe_balance_transactions"].values() if row["created"] < as_of]
    back = {row["source_id"]: row for row in moved if row["type"] in ("payout_failure", "payout_cancel")}
    rows: list[Row] = []
    for currency in sorted({row["currency"] for row in moved}):
        mine = [row for row in moved if row["currency"] == currency]
        waiting = sorted((row for row in mine if row["type"] != "payout"), key=lambda row: row["available_on"])
        left = 0
        for payout in sorted((row for row in mine if row["type"] == "payout"), key=lambda row: row["created"]):
            ready = [row for row in waiting if row["available_on"] <= payout["created"]]
            waiting = waiting[len(ready) :]
            became = sum(row["net"] for row in ready)
            left += became + payout["net"]
            returned = back.get(payout["source_id"])
            record = raw["stripe_payouts"][payout["source_id"],]
            rows.append(
                {
                    "payout_id": payout["source_id"],
                    "currency": currency,
                    "amount": -major(payout["amount"], currency),
                    "returned_amount": major(returned["amount"] if returned else 0, currency),
                    "returned_at": returned and returned["created"],
                    "arrives_on": record["arrival_date"].date(),
                    "is_automatic": record["automatic"],
                    "failure_code": record["failure_code"],
                    "movement_count": len(ready),
                    "became_available": major(became, currency),
                    "left_available": major(left, currency),
                }
            )
    return rows


def expected_fees(raw: Mapping[str, Table], as_of: datetime) -> dict[tuple[str, int], tuple[str, Decimal]]:
    """(movement, place) -> what a fee is called and what it came to; a bill of Stripe's own is a movement itself."""
    found: dict[tuple[str, int], tuple[str, Decimal]] = {}
    for row in raw["stripe_balance_transactions"].values():
        if row["created"] >= as_of:
            continue
        parts = [(part["description"], part["amount"]) for part in row["fee_details"]]
        if row["type"] == "stripe_fee":
            parts = [(row["description"], -row["amount"])]
        found |= {(row["id"], n): (text, major(cents, row["currency"])) for n, (text, cents) in enumerate(parts)}
    return found


def expected_causes(raw: Mapping[str, Table], as_of: datetime) -> dict[str, tuple[str | None, str | None]]:
    """Movement of the balance -> the invoice and the customer that it is about."""
    invoices = invoices_of_charges(raw)
    paid = {row["payment_intent_id"]: row["id"] for row in raw["stripe_charges"].values() if came_in(row)}
    causes = {id_: id_ for (id_,) in raw["stripe_charges"]}
    for name in ("stripe_refunds", "stripe_disputes"):
        for row in raw[name].values():
            causes[row["id"]] = row["charge_id"] or paid.get(row["payment_intent_id"], "")
    found: dict[str, tuple[str | None, str | None]] = {}
    for row in raw["stripe_balance_transactions"].values():
        if row["created"] < as_of:
            charge = raw["stripe_charges"].get((causes.get(row["source_id"], ""),), {})
            found[row["id"]] = (invoices.get(charge.get("id", "")), charge.get("customer_id"))
    return found
