"""Full subscriptions and their items, API version 2026-10-28.endive."""

from __future__ import annotations

from simulators.world.catalog import plan_object, price_object
from simulators.world.ledger import Item, Subscription
from simulators.world.moments import SECOND
from simulators.world.shapes import seconds, tax_rate_object
from simulators.world.store import JsonObject


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
        "test_clock": customer.test_clock,
        "transfer_data": None,
        "trial_end": seconds(subscription.trial_end),
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
        "trial_start": seconds(subscription.trial_start),
    }
