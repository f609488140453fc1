"""Net revenue per invoice, from whole documents: the warehouse works line by line and must come to the same.

In minor units. A refund that a credit note names is that credit note; other refunds and lost disputes take back tax in
the invoice's proportion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction

from tests.oracle.raw import Row, Table
from tests.oracle.values import major

Booking = tuple[str | None, str, str, datetime, int]


def expected_bookings(raw: Mapping[str, Table], as_of: datetime) -> list[Booking]:
    """(invoice, kind, currency, when, minor units) of everything that changes revenue before `as_of`."""
    bookings = [*_billed(raw), *_charged(raw), *_credited(raw), *_taken_back(raw)]
    return [booking for booking in bookings if booking[3] < as_of]


def by_invoice(bookings: Iterable[Booking]) -> dict[str, Decimal]:
    """Invoice -> net revenue in major units."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for invoice, _, currency, _, amount in bookings:
        if invoice:
            sums[invoice] += major(amount, currency)
    return sums


def by_month(bookings: Iterable[Booking], zone: tzinfo) -> dict[tuple[str, str, tuple[int, int]], Decimal]:
    """(currency, kind, month) -> change of revenue in major units."""
    sums: dict[tuple[str, str, tuple[int, int]], Decimal] = defaultdict(Decimal)
    for _, kind, currency, moment, amount in bookings:
        local = moment.astimezone(zone)
        sums[currency, kind, (local.year, local.month)] += major(amount, currency)
    return {key: amount for key, amount in sums.items() if amount}


def expected_cash(raw: Mapping[str, Table], as_of: datetime) -> dict[str, Decimal]:
    """Currency -> cash that came in and stayed: charges and payments past Stripe, less what went back."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for table, happened_at, amount, sign, counts in _CASH:
        for row in raw[table].values():
            if counts(row) and row[happened_at] < as_of:
                sums[row["currency"]] += sign * major(row[amount], row["currency"])
    return sums


#: Table, when it happened, how much, in or out, and which rows count.
_CASH: tuple[tuple[str, str, str, int, Callable[[Row], bool]], ...] = (
    ("stripe_charges", "created", "amount_captured", 1, lambda row: row["status"] == "succeeded"),
    ("stripe_invoice_payments", "paid_at", "amount_paid", 1,
     lambda row: row["status"] == "paid" and bool(row["payment_record_id"])),
    ("stripe_refunds", "created", "amount", -1, lambda row: row["status"] not in ("failed", "canceled")),
    ("stripe_disputes", "created", "amount", -1, lambda row: row["status"] == "lost"),
    ("stripe_credit_notes", "created", "out_of_band_amount", -1,
     lambda row: row["status"] != "void" and bool(row["out_of_band_amount"])),
)  # fmt: skip


def _billed(raw: Mapping[str, Table]) -> Iterable[Booking]:
    for row in raw["stripe_invoices"].values():
        if row["_deleted"] or row["finalized_at"] is None:
            continue
        yield row["id"], "billed", row["currency"], row["finalized_at"], row["total_excluding_tax"]
        if row["voided_at"]:
            yield row["id"], "voided", row["currency"], row["voided_at"], -row["total_excluding_tax"]


def _charged(raw: Mapping[str, Table]) -> Iterable[Booking]:
    """Sales without an invoice, by a payment link say."""
    billed = {row["payment_intent_id"] for row in raw["stripe_invoice_payments"].values()}
    for row in raw["stripe_charges"].values():
        if row["status"] == "succeeded" and row["payment_intent_id"] not in billed:
            yield None, "charged", row["currency"], row["created"], row["amount_captured"]


def _credited(raw: Mapping[str, Table]) -> Iterable[Booking]:
    for row in raw["stripe_credit_notes"].values():
        amount, invoice = row["total_excluding_tax"], raw["stripe_invoices"][row["invoice_id"],]
        yield row["invoice_id"], "credit_note", row["currency"], row["effective_at"] or row["created"], -amount
        over = row["voided_at"] or invoice["voided_at"]
        if over:
            yield row["invoice_id"], "credit_note_voided", row["currency"], over, amount


def _taken_back(raw: Mapping[str, Table]) -> Iterable[Booking]:
    paid = {row["payment_intent_id"]: row["invoice_id"] for row in raw["stripe_invoice_payments"].values()}
    named = {part["refund"] for row in raw["stripe_credit_notes"].values() for part in row["refunds"] or []}
    counted = [
        ("refund", row)
        for row in raw["stripe_refunds"].values()
        if row["status"] not in ("failed", "canceled") and row["id"] not in named
    ]
    counted += [("lost_dispute", row) for row in raw["stripe_disputes"].values() if row["status"] == "lost"]
    for kind, row in counted:
        charge: Row = raw["stripe_charges"][row["charge_id"],]
        if charge["payment_intent_id"] not in paid:
            yield None, kind, row["currency"], row["created"], -row["amount"]
            continue
        invoice = raw["stripe_invoices"][paid[charge["payment_intent_id"]],]
        exact = Fraction(row["amount"] * invoice["total_excluding_tax"], invoice["total"])
        yield invoice["id"], kind, row["currency"], row["created"], -int(exact + Fraction(1, 2))
