"""Full invoices and their lines, API version 2026-10-28.endive."""

from __future__ import annotations

from simulators.world.catalog import unit_decimal
from simulators.world.ledger import Discount, Invoice, Line, TaxRate
from simulators.world.moments import SECOND
from simulators.world.shapes import ACCOUNT, address_object, seconds, tax_rate_object
from simulators.world.store import JsonObject


def discount_amounts(amount: int, discount: Discount | None) -> list[JsonObject]:
    return [{"amount": amount, "discount": discount.id}] if discount and amount else []


def _pretax_credits(amount: int, discount: Discount | None) -> list[JsonObject]:
    return [{"amount": amount, "discount": discount.id, "type": "discount"}] if discount and amount else []


def tax_amounts(amount: int, taxable: int, rate: TaxRate | None) -> list[JsonObject]:
    if rate is None:
        return []
    return [
        {
            "amount": amount,
            "tax_behavior": "inclusive" if rate.inclusive else "exclusive",
            "tax_rate_details": {"tax_rate": rate.id},
            "taxability_reason": "standard_rated",
            "taxable_amount": taxable - amount if rate.inclusive else taxable,
            "type": "tax_rate_details",
        }
    ]


def _line_parent(line: Line) -> JsonObject:
    credited = line.credited and {"invoice": line.credited[0], "invoice_line_items": list(line.credited[1])}
    details: JsonObject = {
        "invoice_item": line.invoice_item,
        "proration": line.proration,
        "proration_details": {"credited_items": credited},
        "subscription": line.subscription,
    }
    if line.item is None:
        return {
            "invoice_item_details": details,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    details["subscription_item"] = line.item
    return {
        "invoice_item_details": None,
        "subscription_item_details": details,
        "type": "subscription_item_details",
    }


def line_object(line: Line, invoice: Invoice) -> JsonObject:
    price = line.price
    unit = unit_decimal(price) if price else None
    return {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice.customer.currency,
        "description": line.description,
        "discount_amounts": discount_amounts(line.discount, invoice.discount),
        "discountable": not line.proration,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": False,
        "metadata": {},
        "parent": _line_parent(line),
        "period": {"end": line.end // SECOND, "start": line.start // SECOND},
        "pretax_credit_amounts": _pretax_credits(line.discount, invoice.discount),
        "pricing": price
        and {
            "price_details": {"price": price.id, "product": price.product},
            "type": "price_details",
            "unit_amount_decimal": unit,
        },
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": tax_amounts(line.tax, line.amount - line.discount, invoice.customer.tax),
    }


def lines_object(invoice: Invoice) -> JsonObject:
    """The list of lines; it doesn't change once the invoice exists."""
    return {
        "object": "list",
        "data": [line_object(line, invoice) for line in invoice.lines],
        "has_more": False,
        "total_count": len(invoice.lines),
        "url": f"/v1/invoices/{invoice.id}/lines",
    }


def invoice_object(invoice: Invoice, lines: JsonObject) -> JsonObject:
    customer, subscription, rate = invoice.customer, invoice.subscription, invoice.customer.tax
    net = invoice.subtotal - invoice.discounted
    inclusive_tax = invoice.tax if rate and rate.inclusive else 0
    undiscounted_tax = 0
    if inclusive_tax and rate:
        undiscounted_tax = inclusive_tax if not invoice.discounted else _tax_within(invoice.subtotal, rate)
    shown = invoice.finalized_at is not None
    return {
        "id": invoice.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": ACCOUNT.name,
        "account_tax_ids": None,
        "amount_due": invoice.amount_due,
        "amount_overpaid": 0,
        "amount_paid": invoice.amount_paid,
        "amount_remaining": invoice.amount_due - invoice.amount_paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": invoice.attempts,
        "attempted": invoice.attempted,
        "auto_advance": invoice.auto_advance,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": seconds(invoice.finalizes_at),
        "billing_reason": invoice.reason,
        "collection_method": "send_invoice" if invoice.by_invoice else "charge_automatically",
        "created": invoice.created // SECOND,
        "currency": customer.currency,
        "custom_fields": None,
        "customer": customer.id,
        "customer_account": None,
        "customer_address": address_object(invoice.address),
        "customer_email": invoice.email,
        "customer_name": invoice.name,
        "customer_phone": invoice.phone,
        "customer_shipping": None,
        "customer_tax_exempt": "none" if shown else None,
        "customer_tax_ids": [] if shown else None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [tax_rate_object(rate)] if rate else [],
        "description": invoice.description,
        "discounts": [invoice.discount.id] if invoice.discount else [],
        "due_date": seconds(invoice.due_date),
        "effective_at": seconds(invoice.finalized_at),
        "ending_balance": invoice.ending_balance,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{ACCOUNT.id}/{invoice.id[3:]}?s=ap" if shown else None,
        "invoice_pdf": f"https://pay.stripe.com/invoice/{ACCOUNT.id}/{invoice.id[3:]}/pdf?s=ap" if shown else None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": lines,
        "livemode": False,
        "metadata": invoice.metadata,
        "next_payment_attempt": seconds(invoice.next_attempt),
        "number": invoice.number,
        "on_behalf_of": None,
        "parent": subscription
        and {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": subscription.id},
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": invoice.period_end // SECOND,
        "period_start": invoice.period_start // SECOND,
        "post_payment_credit_notes_amount": invoice.post_payment_credit,
        "pre_payment_credit_notes_amount": invoice.pre_payment_credit,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": invoice.starting_balance,
        "statement_descriptor": None,
        "status": invoice.status,
        **_status_details(invoice),
        "status_transitions": {
            "finalized_at": seconds(invoice.finalized_at),
            "marked_uncollectible_at": seconds(invoice.uncollectible_at),
            "paid_at": seconds(invoice.paid_at),
            "voided_at": seconds(invoice.voided_at),
        },
        "subtotal": invoice.subtotal,
        "subtotal_excluding_tax": invoice.subtotal - undiscounted_tax,
        "test_clock": customer.test_clock,
        "total": invoice.total,
        "total_discount_amounts": discount_amounts(invoice.discounted, invoice.discount),
        "total_excluding_tax": net - inclusive_tax,
        "total_pretax_credit_amounts": _pretax_credits(invoice.discounted, invoice.discount),
        "total_taxes": tax_amounts(invoice.tax, net, rate),
        "webhooks_delivered_at": seconds(invoice.created),
    }


def _tax_within(amount: int, rate: TaxRate) -> int:
    return round(amount * rate.percent / (100 + rate.percent))


def _status_details(invoice: Invoice) -> JsonObject:
    """Absent unless the invoice was given up."""
    if invoice.uncollectible_at is None:
        return {}
    return {"status_details": {"uncollectible": {"reason": invoice.uncollectible_reason}}}
