"""Full Stripe objects, API version 2026-10-28.endive, out of billing's state.

Keys are in the order of the wire: id, object, then alphabetical. Embedded lists are complete here; the
API cuts them to ten.
"""

from __future__ import annotations

from include.simulators.world.account import Account
from include.simulators.world.catalog import plan_object, price_object
from include.simulators.world.ledger import Coupon, Customer, Discount, Invoice, Item, Line, Subscription, TaxRate
from include.simulators.world.moments import SECOND
from include.simulators.world.people import Place
from include.simulators.world.store import JsonObject

#: What is shaped belongs to the default account in test mode; the store puts the real one in.
ACCOUNT = Account()


def seconds(at: int | None) -> int | None:
    return None if at is None else at // SECOND


def address_object(place: Place | None) -> JsonObject | None:
    if place is None:
        return None
    return {
        "city": place.city,
        "country": place.country,
        "line1": place.line1,
        "line2": None,
        "postal_code": place.postal_code,
        "state": place.state,
    }


def customer_object(customer: Customer) -> JsonObject:
    return {
        "id": customer.id,
        "object": "customer",
        "address": address_object(customer.place),
        "balance": customer.balance,
        "created": customer.created // SECOND,
        "currency": customer.currency if customer.billed else None,
        "customer_account": None,
        "default_source": None,
        "delinquent": customer.delinquent,
        "description": None,
        "discount": None,
        "email": customer.email,
        "invoice_prefix": customer.prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": customer.payment_method,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": customer.metadata,
        "name": customer.name,
        "next_invoice_sequence": customer.next_number,
        "phone": customer.phone,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def tax_rate_object(rate: TaxRate) -> JsonObject:
    return {
        "id": rate.id,
        "object": "tax_rate",
        "active": True,
        "country": rate.country,
        "created": rate.created // SECOND,
        "description": None,
        "display_name": rate.name,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": rate.inclusive,
        "jurisdiction": rate.country,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": float(rate.percent),
        "rate_type": "percentage",
        "state": None,
        "tax_type": "vat",
    }


def coupon_object(coupon: Coupon, created: int) -> JsonObject:
    return {
        "id": coupon.id,
        "object": "coupon",
        "amount_off": coupon.amount,
        "created": created // SECOND,
        "currency": coupon.currency,
        "duration": coupon.duration,
        "duration_in_months": coupon.months,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": coupon.name,
        "percent_off": None if coupon.percent is None else float(coupon.percent),
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def discount_object(discount: Discount) -> JsonObject:
    return {
        "id": discount.id,
        "object": "discount",
        "checkout_session": None,
        "customer": discount.customer,
        "customer_account": None,
        "end": seconds(discount.end),
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": discount.coupon.id, "type": "coupon"},
        "start": discount.start // SECOND,
        "subscription": discount.subscription,
        "subscription_item": None,
    }


def item_object(item: Item, subscription: Subscription) -> JsonObject:
    shape: JsonObject = {
        "id": item.id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": item.created // SECOND,
        "current_period_end": subscription.period_end // SECOND,
        "current_period_start": subscription.period_start // SECOND,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": plan_object(item.price),
        "price": {key: value for key, value in price_object(item.price).items() if key != "tiers"},
    }
    if item.quantity is not None:
        # Metered prices have no quantity at all, not even null.
        shape["quantity"] = item.quantity
    shape["subscription"] = subscription.id
    shape["tax_rates"] = []
    return shape


def subscription_object(subscription: Subscription) -> JsonObject:
    customer = subscription.customer
    canceled = subscription.canceled_at is not None
    return {
        "id": subscription.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": subscription.anchor // SECOND,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": None, "type": "classic"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": seconds(subscription.period_end) if subscription.cancel_at_period_end else None,
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "canceled_at": seconds(subscription.canceled_at),
        "cancellation_details": {
            "comment": None,
            "feedback": subscription.feedback if canceled else None,
            "feedback_option": None,
            "reason": subscription.cancel_reason if canceled else None,
        },
        "collection_method": "send_invoice" if customer.by_invoice else "charge_automatically",
        "created": subscription.created // SECOND,
        "currency": customer.currency,
        "customer": customer.id,
        "customer_account": None,
        "days_until_due": 30 if customer.by_invoice else None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [tax_rate_object(customer.tax)] if customer.tax else [],
        "description": subscription.description,
        "discounts": [subscription.discount.id] if subscription.discount else [],
        "ended_at": seconds(subscription.ended_at),
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": [item_object(item, subscription) for item in subscription.items],
            "has_more": False,
            "total_count": len(subscription.items),
            "url": f"/v1/subscription_items?subscription={subscription.id}",
        },
        "latest_invoice": subscription.latest_invoice,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": subscription.metadata,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": subscription.created // SECOND,
        "status": subscription.status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": seconds(subscription.trial_end),
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
        "trial_start": seconds(subscription.trial_start),
    }


def _discount_amounts(amount: int, discount: Discount | None) -> list[JsonObject]:
    return [{"amount": amount, "discount": discount.id}] if discount and amount else []


def _pretax_credits(amount: int, discount: Discount | None) -> list[JsonObject]:
    return [{"amount": amount, "discount": discount.id, "type": "discount"}] if discount and amount else []


def _taxes(amount: int, taxable: int, rate: TaxRate | None) -> list[JsonObject]:
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
    unit = price_object(price)["unit_amount_decimal"] if price else None
    return {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice.customer.currency,
        "description": line.description,
        "discount_amounts": _discount_amounts(line.discount, invoice.discount),
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
        "taxes": _taxes(line.tax, line.amount - line.discount, invoice.customer.tax),
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
        "test_clock": None,
        "total": invoice.total,
        "total_discount_amounts": _discount_amounts(invoice.discounted, invoice.discount),
        "total_excluding_tax": net - inclusive_tax,
        "total_pretax_credit_amounts": _pretax_credits(invoice.discounted, invoice.discount),
        "total_taxes": _taxes(invoice.tax, net, rate),
        "webhooks_delivered_at": seconds(invoice.created),
    }


def _tax_within(amount: int, rate: TaxRate) -> int:
    return round(amount * rate.percent / (100 + rate.percent))


def _status_details(invoice: Invoice) -> JsonObject:
    """Absent unless the invoice was given up."""
    if invoice.uncollectible_at is None:
        return {}
    return {"status_details": {"uncollectible": {"reason": invoice.uncollectible_reason}}}
