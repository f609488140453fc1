"""Net revenue per invoice, from whole documents: the warehouse works line by line and must come to the same.

In minor units. The part of a refund that a credit note names is that credit note; other refunds and lost disputes take
back tax in the invoice's proportion. A void gives back what was taken off before, and nothing is taken off after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction

from tests.oracle.given_back import came_in, given_back, invoices_of_charges, past_stripe, settled_by_notes
from tests.oracle.raw import Table
from tests.oracle.values import major

Booking = tuple[str | None, str, str, datetime, int]


def expected_bookings(raw: Mapping[str, Table], as_of: datetime) -> list[Booking]:
    """(invoice, kind, currency, when, minor units) of everything that changes revenue before `as_of`."""
    bookings = [*_billed(raw), *_charged(raw), *_credited(raw), *_taken_back(raw, as_of)]
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
    moved = [
        (row["currency"], row["created"], row["amount_captured"])
        for row in raw["stripe_charges"].values()
        if came_in(row)
    ]
    outside = [
        row for row in raw["stripe_invoice_payments"].values() if row["status"] == "paid" and row["payment_record_id"]
    ]
    moved += [(row["currency"], row["paid_at"], row["amount_paid"]) for row in outside]
    moved += [(piece.currency, piece.at, -piece.amount) for piece in given_back(raw, as_of)]
    # of an invoice that was merely marked as paid nothing came in by any document
    invoices = invoices_of_charges(raw)
    paid = {row["invoice_id"] for row in outside} | {
        invoices.get(row["id"]) for row in raw["stripe_charges"].values() if came_in(row)
    }
    notes = [row for row in raw["stripe_credit_notes"].values() if row["invoice_id"] in paid]
    moved += [(row["currency"], row["created"], -past_stripe(row)) for row in notes]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for currency, at, amount in moved:
        if at < as_of:
            sums[currency] += major(amount, currency)
    return sums


def _billed(raw: Mapping[str, Table]) -> Iterable[Booking]:
    for row in raw["stripe_invoices"].values():
        if row["_deleted"] or row["finalized_at"] is None:
            continue
        yield row["id"], "billed", row["currency"], row["finalized_at"], row["total_excluding_tax"]
        if row["voided_at"]:
            yield row["id"], "voided", row["currency"], row["voided_at"], -row["total_excluding_tax"]


def _charged(raw: Mapping[str, Table]) -> Iterable[Booking]:
    """Sales without an invoice, by a payment link say."""
    invoices = invoices_of_charges(raw)
    for row in raw["stripe_charges"].values():
        if came_in(row) and row["id"] not in invoices:
            yield None, "charged", row["currency"], row["created"], row["amount_captured"]


def _credited(raw: Mapping[str, Table]) -> Iterable[Booking]:
    for row in raw["stripe_credit_notes"].values():
        amount, invoice = row["total_excluding_tax"], raw["stripe_invoices"][row["invoice_id"],]
        yield row["invoice_id"], "credit_note", row["currency"], row["effective_at"] or row["created"], -amount
        over = row["voided_at"] or invoice["voided_at"]
        if over:
            yield row["invoice_id"], "credit_note_voided", row["currency"], over, amount


def _taken_back(raw: Mapping[str, Table], as_of: datetime) -> Iterable[Booking]:
    settled, invoices = settled_by_notes(raw, as_of), invoices_of_charges(raw)
    for piece in given_back(raw, as_of):
        amount = piece.amount - (settled.get(piece.id, 0) if piece.kind == "refund" else 0)
        if amount <= 0:
            continue
        id_ = invoices.get(piece.charge)
        if id_ is None:
            yield None, piece.kind, piece.currency, piece.at, -amount
            continue
        invoice = raw["stripe_invoices"][id_,]
        if invoice["total"] > 0:
            amount = int(Fraction(amount * invoice["total_excluding_tax"], invoice["total"]) + Fraction(1, 2))
        if invoice["voided_at"] is None:
            yield id_, piece.kind, piece.currency, piece.at, -amount
        elif piece.at < invoice["voided_at"]:
            yield id_, piece.kind, piece.currency, piece.at, -amount
            yield id_, f"{piece.kind}_voided", piece.currency, invoice["voided_at"], amount
