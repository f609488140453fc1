"""Full customers, coupons, discounts and tax rates, API version 2026-10-28.endive, out of billing's state.

Keys are in the order of the wire: id, object, then alphabetical. Embedded lists are complete here; the
API cuts them to ten.
"""

from __future__ import annotations

from simulators.world.account import Account
from simulators.world.ledger import Coupon, Customer, Discount, TaxRate
from simulators.world.moments import SECOND
from simulators.world.people import Place
from simulators.world.store import JsonObject

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
        "test_clock": customer.test_clock,
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


def coupon_object(coupon: Coupon, created: int, redeemed: int = 0) -> JsonObject:
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
        "times_redeemed": redeemed,
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
