"""Stripe objects (API 2026-10-28.endive) as rows of the raw tables, column by column."""

from __future__ import annotations

from typing import Any

from tests.oracle.books import Json
from tests.oracle.values import epoch, first, pick, reference

Row = dict[str, Any]


def customer(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "email": o["email"],
        "name": o.get("name"),
        "business_name": o.get("business_name"),
        "individual_name": o.get("individual_name"),
        "phone": o.get("phone"),
        "description": o["description"],
        "currency": o.get("currency"),
        "balance": o["balance"],
        "delinquent": o.get("delinquent"),
        "address_line1": pick(o, "address", "line1"),
        "address_line2": pick(o, "address", "line2"),
        "address_city": pick(o, "address", "city"),
        "address_state": pick(o, "address", "state"),
        "address_postal_code": pick(o, "address", "postal_code"),
        "address_country": pick(o, "address", "country"),
        "tax_exempt": o.get("tax_exempt"),
        "preferred_locales": o.get("preferred_locales"),
        "discount": o.get("discount"),
        "default_payment_method_id": reference(pick(o, "invoice_settings", "default_payment_method")),
        "customer_account_id": o.get("customer_account"),
        "test_clock_id": reference(o.get("test_clock")),
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def product(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "updated": epoch(o["updated"]),
        "name": o["name"],
        "description": o["description"],
        "active": o["active"],
        "type": o["type"],
        "default_price_id": reference(o.get("default_price")),
        "unit_label": o.get("unit_label"),
        "statement_descriptor": o.get("statement_descriptor"),
        "tax_code": reference(o.get("tax_code")),
        "marketing_features": o["marketing_features"],
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def price(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "product_id": reference(o["product"]),
        "active": o["active"],
        "currency": o["currency"],
        "nickname": o["nickname"],
        "lookup_key": o["lookup_key"],
        "type": o["type"],
        "billing_scheme": o["billing_scheme"],
        "unit_amount": o["unit_amount"],
        "unit_amount_decimal": o["unit_amount_decimal"],
        "recurring_interval": pick(o, "recurring", "interval"),
        "recurring_interval_count": pick(o, "recurring", "interval_count"),
        "usage_type": pick(o, "recurring", "usage_type"),
        "meter_id": pick(o, "recurring", "meter"),
        "trial_period_days": pick(o, "recurring", "trial_period_days"),
        "tax_behavior": o["tax_behavior"],
        "tiers_mode": o["tiers_mode"],
        "transform_divide_by": pick(o, "transform_quantity", "divide_by"),
        "transform_round": pick(o, "transform_quantity", "round"),
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def subscription(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "customer_id": reference(o["customer"]),
        "status": o["status"],
        "currency": o["currency"],
        "start_date": epoch(o["start_date"]),
        "trial_start": epoch(o["trial_start"]),
        "trial_end": epoch(o["trial_end"]),
        "billing_cycle_anchor": epoch(o["billing_cycle_anchor"]),
        "current_period_start": None,  # gone from this version of the API
        "current_period_end": None,
        "cancel_at_period_end": o["cancel_at_period_end"],
        "cancel_at": epoch(o["cancel_at"]),
        "canceled_at": epoch(o["canceled_at"]),
        "ended_at": epoch(o["ended_at"]),
        "cancellation_reason": pick(o, "cancellation_details", "reason"),
        "cancellation_feedback": pick(o, "cancellation_details", "feedback"),
        "cancellation_comment": pick(o, "cancellation_details", "comment"),
        "pause_behavior": pick(o, "pause_collection", "behavior"),
        "pause_resumes_at": epoch(pick(o, "pause_collection", "resumes_at")),
        "paused_at": epoch(pick(o, "status_details", "paused", "transitioned_at")),
        "paused_reason": pick(o, "status_details", "paused", "subscription", "type"),
        "collection_method": o["collection_method"],
        "days_until_due": o["days_until_due"],
        "billing_mode": pick(o, "billing_mode", "type"),
        "discounts": o["discounts"],
        "default_payment_method_id": reference(o["default_payment_method"]),
        "latest_invoice_id": reference(o["latest_invoice"]),
        "schedule_id": reference(o["schedule"]),
        "next_pending_invoice_item_invoice": epoch(o["next_pending_invoice_item_invoice"]),
        "description": o["description"],
        "customer_account_id": o["customer_account"],
        "test_clock_id": reference(o["test_clock"]),
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def subscription_items(o: Json) -> list[Row]:
    return [
        {
            "subscription_id": o["id"],
            "customer_id": reference(o["customer"]),
            "currency": o["currency"],
            "subscription_status": o["status"],
            "subscription_created": epoch(o["created"]),
            "subscription_period_start": None,
            "subscription_period_end": None,
            "livemode": o["livemode"],
            "id": item["id"],
            "created": epoch(item["created"]),
            "price_id": item["price"]["id"],
            "product_id": reference(item["price"]["product"]),
            "unit_amount": item["price"]["unit_amount"],
            "unit_amount_decimal": item["price"]["unit_amount_decimal"],
            "recurring_interval": pick(item, "price", "recurring", "interval"),
            "recurring_interval_count": pick(item, "price", "recurring", "interval_count"),
            "usage_type": pick(item, "price", "recurring", "usage_type"),
            "quantity": item.get("quantity"),
            "current_period_start": epoch(item["current_period_start"]),
            "current_period_end": epoch(item["current_period_end"]),
            "billed_until": epoch(item.get("billed_until")),
            "trial_start": epoch(pick(item, "current_trial", "start_date")),
            "trial_end": epoch(pick(item, "current_trial", "end_date")),
            "trial_offer_id": pick(item, "current_trial", "trial_offer"),
            "discounts": item["discounts"],
            "metadata": item["metadata"],
        }
        for item in o["items"]["data"]
    ]


def invoice(o: Json) -> Row:
    moments = o["status_transitions"]
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "number": o["number"],
        "customer_id": reference(o["customer"]),
        "customer_email": o["customer_email"],
        "customer_name": o["customer_name"],
        "customer_phone": o["customer_phone"],
        "customer_country": pick(o, "customer_address", "country"),
        "customer_state": pick(o, "customer_address", "state"),
        "customer_postal_code": pick(o, "customer_address", "postal_code"),
        "customer_tax_exempt": o["customer_tax_exempt"],
        "customer_account_id": o["customer_account"],
        "subscription_id": reference(pick(o, "parent", "subscription_details", "subscription")),
        "quote_id": pick(o, "parent", "quote_details", "quote"),
        "parent_type": pick(o, "parent", "type"),
        "status": o["status"],
        "uncollectible_reason": pick(o, "status_details", "uncollectible", "reason"),
        "billing_reason": o["billing_reason"],
        "collection_method": o["collection_method"],
        "currency": o["currency"],
        "subtotal": o["subtotal"],
        "subtotal_excluding_tax": o["subtotal_excluding_tax"],
        "total": o["total"],
        "total_excluding_tax": o["total_excluding_tax"],
        "total_discount_amounts": o["total_discount_amounts"],
        "total_taxes": o["total_taxes"],
        "total_pretax_credit_amounts": o["total_pretax_credit_amounts"],
        "amount_due": o["amount_due"],
        "amount_paid": o["amount_paid"],
        "amount_paid_off_stripe": o.get("amount_paid_off_stripe"),
        "amount_remaining": o["amount_remaining"],
        "amount_overpaid": o["amount_overpaid"],
        "amount_shipping": o["amount_shipping"],
        "starting_balance": o["starting_balance"],
        "ending_balance": o["ending_balance"],
        "pre_payment_credit_notes_amount": o["pre_payment_credit_notes_amount"],
        "post_payment_credit_notes_amount": o["post_payment_credit_notes_amount"],
        "discounts": o["discounts"],
        "attempt_count": o["attempt_count"],
        "attempted": o["attempted"],
        "auto_advance": o.get("auto_advance"),
        "next_payment_attempt": epoch(o["next_payment_attempt"]),
        "due_date": epoch(o["due_date"]),
        "effective_at": epoch(o["effective_at"]),
        "period_start": epoch(o["period_start"]),
        "period_end": epoch(o["period_end"]),
        "finalized_at": epoch(moments["finalized_at"]),
        "paid_at": epoch(moments["paid_at"]),
        "voided_at": epoch(moments["voided_at"]),
        "marked_uncollectible_at": epoch(moments["marked_uncollectible_at"]),
        "from_invoice_id": reference(pick(o, "from_invoice", "invoice")),
        "latest_revision_id": reference(o["latest_revision"]),
        "receipt_number": o["receipt_number"],
        "account_country": o["account_country"],
        "account_name": o["account_name"],
        "description": o["description"],
        "hosted_invoice_url": o.get("hosted_invoice_url"),
        "test_clock_id": reference(o["test_clock"]),
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def invoice_lines(o: Json) -> list[Row]:
    rows = []
    for line in o["lines"]["data"]:
        recurring = pick(line, "parent", "subscription_item_details") or {}
        single = pick(line, "parent", "invoice_item_details") or {}
        credited = pick(recurring or single, "proration_details", "credited_items")
        rows.append(
            {
                "invoice_id": o["id"],
                "invoice_number": o["number"],
                "invoice_created": epoch(o["created"]),
                "invoice_status": o["status"],
                "customer_id": reference(o["customer"]),
                "customer_email": o["customer_email"],
                "currency": o["currency"],
                "id": line["id"],
                "amount": line["amount"],
                "subtotal": line["subtotal"],
                "description": line["description"],
                "quantity": line["quantity"],
                "quantity_decimal": line["quantity_decimal"],
                "unit_amount_decimal": pick(line, "pricing", "unit_amount_decimal"),
                "price_id": reference(pick(line, "pricing", "price_details", "price")),
                "product_id": pick(line, "pricing", "price_details", "product"),
                "line_type": pick(line, "parent", "type"),
                "subscription_id": first(
                    recurring.get("subscription"), single.get("subscription"), reference(line["subscription"])
                ),
                "subscription_item_id": recurring.get("subscription_item"),
                "invoice_item_id": first(single.get("invoice_item"), recurring.get("invoice_item")),
                "proration": first(recurring.get("proration"), single.get("proration")),
                "credited_invoice_id": pick(credited, "invoice"),
                "credited_line_ids": pick(credited, "invoice_line_items"),
                "period_start": epoch(line["period"]["start"]),
                "period_end": epoch(line["period"]["end"]),
                "discountable": line["discountable"],
                "discounts": line["discounts"],
                "discount_amounts": line["discount_amounts"],
                "taxes": line["taxes"],
                "pretax_credit_amounts": line["pretax_credit_amounts"],
                "livemode": line["livemode"],
                "metadata": line["metadata"],
            }
        )
    return rows
