"""Stripe-shaped invoices, each with so many lines, in pages as Stripe sends them: a hundred records, indented by two.

Every page is a template: `TOKEN` in all ids, of the invoices as of what they point at, becomes a number of the same
width, so a few templates make any number of distinct invoices.
"""

import json
import random
from typing import Any

PAGE_SIZE = 100
TEMPLATES = 200
LINES = 3
TOKEN = "~~~~~~"  # noqa: S105  (no password)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DAY = 86_400
_PLANS = [("Team", 4900), ("Business", 19900), ("Enterprise", 99000)]
_COUNTRIES = ["US", "DE", "FR", "JP", "BR"]

Json = dict[str, Any]


def templates(number: int = TEMPLATES, lines: int = LINES) -> list[bytes]:
    """So many pages, always the same ones."""
    chance = random.Random(7)  # noqa: S311
    pages = [[_invoice(chance, lines) for _ in range(PAGE_SIZE)] for _ in range(number)]
    return [_written(page) for page in pages]


def large(megabytes: int) -> bytes:
    """A page of a single record of that size: its metadata and lines are long."""
    chance = random.Random(7)  # noqa: S311
    invoice = _invoice(chance, LINES)
    lines = invoice["lines"]["data"]
    size = len(_written([invoice])) // len(lines)
    invoice["lines"]["data"] = [_line(chance, invoice) for _ in range(megabytes * 1024**2 // size)]
    invoice["lines"]["total_count"] = len(invoice["lines"]["data"])
    return _written([invoice])


def _written(records: list[Json]) -> bytes:
    page = {"object": "list", "data": records, "has_more": True, "url": "/v1/invoices"}
    return json.dumps(page, indent=2, ensure_ascii=False).encode()


def _id(chance: random.Random, prefix: str) -> str:
    return f"{prefix}1Q{TOKEN}{''.join(chance.choices(_ALPHABET, k=16))}"


def _line(chance: random.Random, invoice: Json) -> Json:
    plan, amount = chance.choice(_PLANS)
    quantity = chance.randint(1, 12)
    proration = chance.random() < 0.1
    details = {
        "invoice_item": _id(chance, "ii_") if proration else None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": _id(chance, "sub_"),
        "subscription_item": _id(chance, "si_"),
    }
    start = invoice["created"]
    return {
        "id": _id(chance, "il_"),
        "object": "line_item",
        "amount": amount * quantity,
        "currency": invoice["currency"],
        "description": f"{quantity} × {plan} (at {amount / 100:.2f} / month)",
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {"seat_group": chance.choice("abc")} if chance.random() < 0.3 else {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"end": start + 30 * _DAY, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": _id(chance, "price_"), "product": _id(chance, "prod_")},
            "type": "price_details",
            "unit_amount_decimal": str(amount),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount * quantity,
        "taxes": _taxes(chance, amount * quantity),
    }


def _taxes(chance: random.Random, amount: int) -> list[Json]:
    return [
        {
            "amount": amount // 5,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": _id(chance, "txr_")},
            "taxability_reason": "standard_rated",
            "taxable_amount": amount,
            "type": "tax_rate_details",
        }
    ]


def _invoice(chance: random.Random, lines: int) -> Json:
    number, created = chance.randint(1, 9999), chance.randint(1_720_000_000, 1_767_000_000)
    draft, one_off = chance.random() < 0.05, chance.random() < 0.1
    country, name = chance.choice(_COUNTRIES), f"Zoë Møller-{number}"
    invoice: Json = {
        "id": _id(chance, "in_"),
        "object": "invoice",
        "account_country": "US",
        "account_name": "Tributary Benchmarks, Inc.",
        "account_tax_ids": None,
        "amount_overpaid": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0 if draft else 1,
        "attempted": not draft,
        "auto_advance": draft,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "manual" if one_off else "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": created,
        "currency": chance.choice(["usd", "eur", "jpy"]),
        "custom_fields": None,
        "customer": _id(chance, "cus_"),
        "customer_account": None,
        "customer_address": {
            "city": "Springfield",
            "country": country,
            "line1": f"{number} Evergreen Terrace",
            "line2": None,
            "postal_code": f"{number:05d}",
            "state": None,
        },
        "customer_email": f"zoe.{number}@customer.example",
        "customer_name": name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": None if draft else "none",
        "customer_tax_ids": None if draft else [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None if draft else created + 3600,
        "ending_balance": None if draft else 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None if draft else f"https://invoice.stripe.com/i/acct_1/{_id(chance, '')}?s=ap",
        "invoice_pdf": None if draft else f"https://pay.stripe.com/invoice/acct_1/{_id(chance, '')}/pdf?s=ap",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {"order": f"A-{number}", "channel": "web"} if one_off else {},
        "next_payment_attempt": None,
        "number": None if draft else f"{chance.choice(_ALPHABET)}{number:07d}-0001",
        "on_behalf_of": None,
        "parent": None
        if one_off
        else {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": _id(chance, "sub_")},
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": created,
        "period_start": created - 30 * _DAY,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft" if draft else "paid",
        "status_transitions": {
            "finalized_at": None if draft else created + 3600,
            "marked_uncollectible_at": None,
            "paid_at": None if draft else created + 3605,
            "voided_at": None,
        },
        "test_clock": None,
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "webhooks_delivered_at": created,
    }
    billed = [_line(chance, invoice) for _ in range(lines)]
    subtotal = sum(line["amount"] for line in billed)
    total = subtotal + subtotal // 5
    paid = 0 if draft else total
    return invoice | {
        "amount_due": total,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": subtotal,
        "total_taxes": _taxes(chance, subtotal),
        "lines": {
            "object": "list",
            "data": billed,
            "has_more": False,
            "total_count": lines,
            "url": f"/v1/invoices/{invoice['id']}/lines",
        },
    }
