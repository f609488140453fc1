"""What went back to customers, document by document, from raw rows: refunds, lost disputes and payments past Stripe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.oracle.raw import Row, Table


@dataclass(frozen=True)
class GivenBack:
    """A refund or a lost dispute that counts, with the charge that it takes back; in minor units."""

    kind: str
    id: str
    charge: str
    currency: str
    amount: int
    at: datetime


def invoices_of_charges(raw: Mapping[str, Table]) -> Mapping[str, str]:
    """Charge -> the invoice that it pays, by its payment intent or by itself. One that it paid comes first."""
    by: dict[str, str] = {}
    for row in sorted(
        raw["stripe_invoice_payments"].values(), key=lambda row: (row["status"] != "paid", row["invoice_id"])
    ):
        for cause in (row.get("payment_intent_id"), row.get("charge_id")):
            if cause:
                by.setdefault(cause, row["invoice_id"])
    found = {
        row["id"]: by.get(row["id"]) or by.get(row["payment_intent_id"] or "") or row.get("invoice_id")
        for row in raw["stripe_charges"].values()
    }
    return {charge: invoice for charge, invoice in found.items() if invoice}


def given_back(raw: Mapping[str, Table], as_of: datetime) -> list[GivenBack]:
    """Refunds and lost disputes before `as_of` of money that came in."""
    charges = {row["id"]: row for row in raw["stripe_charges"].values()}
    paid = {row["payment_intent_id"]: row["id"] for row in charges.values() if came_in(row)}
    counted = [("refund", row) for row in raw["stripe_refunds"].values() if _is_refund(row)]
    counted += [("lost_dispute", row) for row in raw["stripe_disputes"].values() if row["status"] == "lost"]
    found = []
    for kind, row in counted:
        charge: str = row["charge_id"] or paid.get(row.get("payment_intent_id")) or ""
        if row["created"] < as_of and charge in charges and came_in(charges[charge]):
            found.append(GivenBack(kind, row["id"], charge, row["currency"], row["amount"], row["created"]))
    return found


def came_in(charge: Row) -> bool:
    """Whether a charge succeeded; those of the first years only say that they are paid."""
    return charge["status"] == "succeeded" or (charge["status"] is None and bool(charge.get("paid")))


def _is_refund(row: Row) -> bool:
    return row["status"] not in ("failed", "canceled") and row.get("reason") != "expired_uncaptured_charge"


def settled_by_notes(raw: Mapping[str, Table], as_of: datetime) -> Mapping[str, int]:
    """Refund -> how much of it pays out credit notes, which are the deduction for that part."""
    settled: dict[str, int] = defaultdict(int)
    for row in raw["stripe_credit_notes"].values():
        if row["status"] == "void" or row.get("voided_at") or (row["effective_at"] or row["created"]) >= as_of:
            continue
        parts = [part for part in row["refunds"] or [] if part.get("refund")]
        for part in parts:
            settled[part["refund"]] += part["amount_refunded"]
        if not parts and row.get("refund_id"):
            whole = row["amount"] if row.get("post_payment_amount") is None else row["post_payment_amount"]
            settled[row["refund_id"]] += whole - (row["out_of_band_amount"] or 0)
    return settled


def past_stripe(note: Row) -> int:
    """What a credit note gave back outside of Stripe, with or without a record of how."""
    recorded = [
        part["amount_refunded"] for part in note["refunds"] or [] if part.get("type") == "payment_record_refund"
    ]
    return 0 if note["status"] == "void" else (note["out_of_band_amount"] or 0) + sum(recorded)
