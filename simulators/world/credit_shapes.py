"""Full credit notes and their lines, API version 2026-10-28.endive."""

from __future__ import annotations

from fractions import Fraction

from simulators.world.ids import Ids
from simulators.world.invoice_shapes import tax_amounts
from simulators.world.ledger import Line, TaxRate
from simulators.world.moments import SECOND
from simulators.world.money import charge, spread
from simulators.world.payment_ledger import CreditNote
from simulators.world.shapes import ACCOUNT, seconds, tax_rate_object
from simulators.world.store import JsonObject


def credit_note_object(note: CreditNote, ids: Ids) -> JsonObject:
    """A note that spreads its amount over the invoice's lines, each taxed as it was."""
    invoice = note.invoice
    customer, rate = invoice.customer, invoice.customer.tax
    tax = _tax_within(note.amount, rate, customer.currency)
    inclusive = rate is not None and rate.inclusive
    subtotal = note.amount if inclusive else note.amount - tax
    lines = _lines(note, ids, subtotal, tax)
    return {
        "id": note.id,
        "object": "credit_note",
        "amount": note.amount,
        "amount_shipping": 0,
        "created": note.created // SECOND,
        "currency": customer.currency,
        "customer": customer.id,
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": note.created // SECOND,
        "invoice": invoice.id,
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": False,
            "total_count": len(lines),
            "url": f"/v1/credit_notes/{note.id}/lines",
        },
        "livemode": False,
        "memo": note.memo,
        "metadata": {},
        "number": note.number,
        "out_of_band_amount": note.out_of_band,
        "pdf": f"https://pay.stripe.com/credit_notes/{ACCOUNT.id}/{note.id[3:]}/pdf?s=ap",
        "post_payment_amount": note.amount if note.paid else 0,
        "pre_payment_amount": 0 if note.paid else note.amount,
        "pretax_credit_amounts": [],
        "reason": "product_unsatisfactory" if note.paid else "order_change",
        "refunds": [_refund(note)] if note.refund else [],
        "shipping_cost": None,
        "status": "void" if note.voided_at else "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": note.amount - tax,
        "total": note.amount,
        "total_excluding_tax": note.amount - tax,
        "total_taxes": tax_amounts(tax, subtotal, rate),
        "type": "post_payment" if note.paid else "pre_payment",
        "voided_at": seconds(note.voided_at),
    }


def _refund(note: CreditNote) -> JsonObject:
    refund = note.refund
    return {
        "amount_refunded": note.amount,
        "payment_record_refund": None,
        "refund": refund.id if refund else None,
        "type": "refund",
    }


def _tax_within(amount: int, rate: TaxRate | None, currency: str) -> int:
    """The part of an amount, tax included, that is tax."""
    return charge(currency, Fraction(amount * rate.percent, 100 + rate.percent)) if rate else 0


def _lines(note: CreditNote, ids: Ids, subtotal: int, tax: int) -> list[JsonObject]:
    currency = note.invoice.customer.currency
    billed = [line for line in note.invoice.lines if line.amount > 0]
    weights = [line.amount for line in billed]
    amounts, taxes = spread(currency, subtotal, weights), spread(currency, tax, weights)
    return [
        _line(note, ids, number, line, amount, part)
        for number, (line, amount, part) in enumerate(zip(billed, amounts, taxes, strict=True))
    ]


def _line(note: CreditNote, ids: Ids, number: int, line: Line, amount: int, tax: int) -> JsonObject:
    rate = note.invoice.customer.tax
    return {
        "id": ids.stripe("credit_note_line", note.id, number),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": line.description,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": line.id,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": None,
        "tax_rates": [tax_rate_object(rate)] if rate else [],
        "taxes": tax_amounts(tax, amount, rate),
        "type": "invoice_line_item",
        "unit_amount": None,
        "unit_amount_decimal": None,
    }
