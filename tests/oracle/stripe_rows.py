"""Stripe objects (API 2026-10-28.endive) as rows of the raw tables, column by column."""

from __future__ import annotations

from decimal import Decimal
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
        "discount_id": pick(o, "discount", "id"),
        "discount_coupon_id": _coupon(o.get("discount")),
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
        "tax_code": first(reference(o.get("tax_code")), pick(o, "tax_details", "tax_code")),
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
        "tiers": o.get("tiers"),
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
        "shipping_subtotal": pick(o, "shipping_cost", "amount_subtotal"),
        "shipping_tax": pick(o, "shipping_cost", "amount_tax"),
        "shipping_total": pick(o, "shipping_cost", "amount_total"),
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


def coupon(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "name": o["name"],
        "percent_off": None if o["percent_off"] is None else Decimal(str(o["percent_off"])),
        "amount_off": o["amount_off"],
        "currency": o["currency"],
        "duration": o["duration"],
        "duration_in_months": o["duration_in_months"],
        "redeem_by": epoch(o["redeem_by"]),
        "max_redemptions": o["max_redemptions"],
        "times_redeemed": o["times_redeemed"],
        "valid": o["valid"],
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def subscription_discounts(o: Json) -> list[Row]:
    """The subscription's discounts, which are objects: the API was asked to expand them."""
    return [
        {
            "subscription_id": o["id"],
            "subscription_status": o["status"],
            "currency": o["currency"],
            "livemode": o["livemode"],
            "id": discount["id"],
            "coupon_id": _coupon(discount),
            "source_type": pick(discount, "source", "type"),
            "promotion_code_id": reference(discount.get("promotion_code")),
            "customer_id": reference(discount.get("customer")),
            "customer_account_id": discount.get("customer_account"),
            "subscription_item_id": discount.get("subscription_item"),
            "checkout_session_id": discount.get("checkout_session"),
            "started_at": epoch(discount.get("start")),
            "ends_at": epoch(discount.get("end")),
        }
        for discount in o["discounts"]
    ]


def invoice_discounts(o: Json) -> list[Row]:
    """What each discount took off the invoice; the discounts are objects, or stubs of deleted ones."""
    return [
        {
            "invoice_id": o["id"],
            "invoice_number": o["number"],
            "invoice_created": epoch(o["created"]),
            "invoice_status": o["status"],
            "customer_id": reference(o["customer"]),
            "currency": o["currency"],
            "livemode": o["livemode"],
            "discount_id": part["discount"]["id"],
            "amount": part["amount"],
            "coupon_id": _coupon(part["discount"]),
            "promotion_code_id": reference(part["discount"].get("promotion_code")),
            "subscription_id": part["discount"].get("subscription"),
            "subscription_item_id": part["discount"].get("subscription_item"),
            "started_at": epoch(part["discount"].get("start")),
            "ends_at": epoch(part["discount"].get("end")),
        }
        for part in o["total_discount_amounts"] or []
    ]


def invoice_payment(o: Json) -> Row:
    payment = o["payment"]
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "invoice_id": reference(o["invoice"]),
        "status": o["status"],
        "currency": o["currency"],
        "amount_requested": o["amount_requested"],
        "amount_paid": o["amount_paid"],
        "is_default": o["is_default"],
        "payment_type": payment["type"],
        "payment_intent_id": reference(payment.get("payment_intent")),
        "charge_id": reference(payment.get("charge")),
        "payment_record_id": reference(payment.get("payment_record")),
        "paid_at": epoch(o["status_transitions"]["paid_at"]),
        "canceled_at": epoch(o["status_transitions"]["canceled_at"]),
        "livemode": o["livemode"],
    }


def charge(o: Json) -> Row:
    outcome, billing, method = o["outcome"], o["billing_details"], o["payment_method_details"]
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "customer_id": reference(o["customer"]),
        "payment_intent_id": reference(o["payment_intent"]),
        "invoice_id": None,  # gone from this version of the API
        "payment_method_id": o["payment_method"],
        "balance_transaction_id": reference(o["balance_transaction"]),
        "failure_balance_transaction_id": reference(o["failure_balance_transaction"]),
        "status": o["status"],
        "paid": o["paid"],
        "captured": o["captured"],
        "refunded": o["refunded"],
        "disputed": o["disputed"],
        "currency": o["currency"],
        "amount": o["amount"],
        "amount_captured": o["amount_captured"],
        "amount_refunded": o["amount_refunded"],
        "application_fee_amount": o["application_fee_amount"],
        "application_fee_id": reference(o["application_fee"]),
        "failure_code": o["failure_code"],
        "failure_message": o["failure_message"],
        "outcome_type": pick(outcome, "type"),
        "outcome_reason": pick(outcome, "reason"),
        "outcome_network_status": pick(outcome, "network_status"),
        "outcome_risk_level": pick(outcome, "risk_level"),
        "outcome_risk_score": pick(outcome, "risk_score"),
        "fraud_report_by_merchant": pick(o, "fraud_details", "user_report"),
        "fraud_report_by_stripe": pick(o, "fraud_details", "stripe_report"),
        "payment_method_type": pick(method, "type"),
        "card_brand": pick(method, "card", "brand"),
        "card_country": pick(method, "card", "country"),
        "card_funding": pick(method, "card", "funding"),
        "card_wallet": pick(method, "card", "wallet", "type"),
        "billing_email": billing["email"],
        "billing_name": billing["name"],
        "billing_phone": billing["phone"],
        "billing_country": pick(billing, "address", "country"),
        "billing_state": pick(billing, "address", "state"),
        "billing_postal_code": pick(billing, "address", "postal_code"),
        "presentment_amount": pick(o, "presentment_details", "presentment_amount"),
        "presentment_currency": pick(o, "presentment_details", "presentment_currency"),
        "receipt_email": o["receipt_email"],
        "receipt_number": o["receipt_number"],
        "receipt_url": o["receipt_url"],
        "description": o["description"],
        "statement_descriptor": first(o["calculated_statement_descriptor"], o["statement_descriptor"]),
        "on_behalf_of_id": reference(o["on_behalf_of"]),
        "transfer_group": o["transfer_group"],
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def refund(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "charge_id": reference(o["charge"]),
        "payment_intent_id": reference(o["payment_intent"]),
        "customer_id": reference(o["customer"]),
        "customer_account_id": o["customer_account"],
        "payment_method_id": reference(o["payment_method"]),
        "balance_transaction_id": reference(o["balance_transaction"]),
        "failure_balance_transaction_id": reference(o.get("failure_balance_transaction")),
        "status": o["status"],
        "currency": o["currency"],
        "amount": o["amount"],
        "reason": o["reason"],
        "pending_reason": o.get("pending_reason"),
        "failure_reason": o.get("failure_reason"),
        "destination_type": pick(o, "destination_details", "type"),
        "presentment_amount": pick(o, "presentment_details", "presentment_amount"),
        "presentment_currency": pick(o, "presentment_details", "presentment_currency"),
        "receipt_number": o["receipt_number"],
        "description": o.get("description"),
        "metadata": o["metadata"],
    }


def dispute(o: Json) -> Row:
    evidence, card = o["evidence_details"], pick(o, "payment_method_details", "card")
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "charge_id": reference(o["charge"]),
        "payment_intent_id": reference(o["payment_intent"]),
        "status": o["status"],
        "reason": o["reason"],
        "network_reason_code": first(o.get("network_reason_code"), pick(card, "network_reason_code")),
        "currency": o["currency"],
        "amount": o["amount"],
        "is_charge_refundable": o["is_charge_refundable"],
        "evidence_due_by": epoch(evidence["due_by"]),
        "has_evidence": evidence["has_evidence"],
        "evidence_past_due": evidence["past_due"],
        "evidence_submission_count": evidence["submission_count"],
        "evidence_submission_method": evidence.get("submission_method"),
        "intended_submission_method": o.get("intended_submission_method"),
        "enhanced_eligibility_types": o["enhanced_eligibility_types"],
        "payment_method_type": pick(o, "payment_method_details", "type"),
        "card_brand": pick(card, "brand"),
        "card_case_type": pick(card, "case_type"),
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def payout(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "arrival_date": epoch(o["arrival_date"]),
        "status": o["status"],
        "currency": o["currency"],
        "amount": o["amount"],
        "application_fee_amount": o["application_fee_amount"],
        "automatic": o["automatic"],
        "type": o["type"],
        "method": o["method"],
        "destination_id": reference(o["destination"]),
        "source_type": o["source_type"],
        "balance_transaction_id": reference(o["balance_transaction"]),
        "failure_balance_transaction_id": reference(o["failure_balance_transaction"]),
        "failure_code": o["failure_code"],
        "failure_message": o["failure_message"],
        "reconciliation_status": o["reconciliation_status"],
        "statement_descriptor": o["statement_descriptor"],
        "trace_id": pick(o, "trace_id", "value"),
        "trace_id_status": pick(o, "trace_id", "status"),
        "original_payout_id": reference(o["original_payout"]),
        "reversed_by_id": reference(o["reversed_by"]),
        "description": o["description"],
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def credit_note(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "number": o["number"],
        "invoice_id": reference(o["invoice"]),
        "customer_id": reference(o["customer"]),
        "customer_account_id": o["customer_account"],
        "status": o["status"],
        "type": o["type"],
        "reason": o["reason"],
        "currency": o["currency"],
        "amount": o["amount"],
        "pre_payment_amount": o["pre_payment_amount"],
        "post_payment_amount": o["post_payment_amount"],
        "out_of_band_amount": o["out_of_band_amount"],
        "subtotal": o["subtotal"],
        "subtotal_excluding_tax": o["subtotal_excluding_tax"],
        "total": o["total"],
        "total_excluding_tax": o["total_excluding_tax"],
        "amount_shipping": o["amount_shipping"],
        "discount_amount": o["discount_amount"],
        "discount_amounts": o["discount_amounts"],
        "total_taxes": o["total_taxes"],
        "pretax_credit_amounts": o["pretax_credit_amounts"],
        "refunds": o["refunds"],
        "refund_id": None,  # gone from this version of the API
        "customer_balance_transaction_id": reference(o["customer_balance_transaction"]),
        "effective_at": epoch(o["effective_at"]),
        "voided_at": epoch(o["voided_at"]),
        "memo": o["memo"],
        "pdf": o["pdf"],
        "livemode": o["livemode"],
        "metadata": o["metadata"],
    }


def credit_note_lines(o: Json) -> list[Row]:
    return [
        {
            "credit_note_id": o["id"],
            "credit_note_number": o["number"],
            "credit_note_created": epoch(o["created"]),
            "credit_note_status": o["status"],
            "invoice_id": reference(o["invoice"]),
            "customer_id": reference(o["customer"]),
            "currency": o["currency"],
            "id": line["id"],
            "line_type": line["type"],
            "invoice_line_id": line.get("invoice_line_item"),
            "amount": line["amount"],
            "discount_amount": line["discount_amount"],
            "discount_amounts": line["discount_amounts"],
            "taxes": line["taxes"],
            "pretax_credit_amounts": line["pretax_credit_amounts"],
            "quantity": line["quantity"],
            "unit_amount": line["unit_amount"],
            "unit_amount_decimal": line["unit_amount_decimal"],
            "description": line["description"],
            "livemode": line["livemode"],
            "metadata": line["metadata"],
        }
        for line in o["lines"]["data"]
    ]


def balance_transaction(o: Json) -> Row:
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "type": o["type"],
        "reporting_category": o["reporting_category"],
        "source_id": reference(o["source"]),
        "status": o["status"],
        "available_on": epoch(o["available_on"]),
        "currency": o["currency"],
        "amount": o["amount"],
        "fee": o["fee"],
        "net": o["net"],
        "fee_details": o["fee_details"],
        "exchange_rate": o["exchange_rate"],
        "balance_type": o["balance_type"],
        "description": o["description"],
    }


def event(o: Json) -> Row:
    subject = o["data"]["object"]
    return {
        "id": o["id"],
        "created": epoch(o["created"]),
        "type": o["type"],
        "api_version": o["api_version"],
        "object_id": subject.get("id"),
        "object_type": subject.get("object"),
        "object_snapshot": subject,
        "previous_attributes": o["data"].get("previous_attributes"),
        "request_id": pick(o, "request", "id"),
        "idempotency_key": pick(o, "request", "idempotency_key"),
        "pending_webhooks": o["pending_webhooks"],
        "account_id": o.get("account"),
        "context": o.get("context"),
        "livemode": o["livemode"],
    }


def _coupon(discount: Json | None) -> Any:
    return reference(pick(discount, "source", "coupon"))
