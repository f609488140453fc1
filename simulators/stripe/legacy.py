"""Objects as they looked before 2025-03-31.basil moved so much: what events from before an upgrade still show.

An event is rendered in the API version of its creation, whatever version the reader asks for. With
`Simulation.upgraded_at` set, events created earlier come in this shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.stripe.errors import API_VERSION
from simulators.world.store import JsonObject

#: Finds the object of a collection that has a value at a path.
Find = Callable[[str, str, str], JsonObject | None]

OLD_VERSION = "2025-02-24.acacia"


def version_at(at: int, upgraded_at: int | None) -> str:
    """The account's API version at an instant."""
    return OLD_VERSION if upgraded_at is not None and at < upgraded_at else API_VERSION


def old_shape(shape: JsonObject, find: Find) -> JsonObject:
    """An object of today in its old shape, which holds some things that now are only found elsewhere."""
    kind = shape["object"]
    if kind == "charge":
        payment = find("invoice_payments", "payment.payment_intent", shape["payment_intent"])
        return _reshaped(shape, (), invoice=payment["invoice"] if payment else None)
    if kind == "discount":
        return _reshaped(shape, ("source", "customer_account"), coupon=find("coupons", "id", shape["source"]["coupon"]))
    convert = {"invoice": _invoice, "subscription": _subscription, "credit_note": _credit_note}.get(kind)
    return convert(shape) if convert else shape


def _reshaped(shape: JsonObject, gone: tuple[str, ...], **added: Any) -> JsonObject:
    merged = {key: value for key, value in {**shape, **added}.items() if key not in gone}
    head = ("id", "object")
    return {key: merged[key] for key in (*head, *sorted(key for key in merged if key not in head))}


def _invoice(shape: JsonObject) -> JsonObject:
    details = (shape["parent"] or {}).get("subscription_details")
    taxes = [_tax(tax) for tax in shape["total_taxes"]]
    return _reshaped(
        shape,
        ("parent", "total_taxes", "customer_account", "confirmation_secret", "status_details"),
        application_fee_amount=None,
        charge=None,
        discount=None,
        lines={**shape["lines"], "data": [_line(line) for line in shape["lines"]["data"]]},
        paid=shape["status"] == "paid",
        paid_out_of_band=False,
        payment_intent=None,
        quote=None,
        subscription=details and details["subscription"],
        subscription_details={"metadata": details["metadata"] if details else None},
        tax=sum(tax["amount"] for tax in taxes) if taxes else None,
        total_tax_amounts=taxes,
        transfer_data=None,
    )


def _tax(tax: JsonObject) -> JsonObject:
    return {
        "amount": tax["amount"],
        "inclusive": tax["tax_behavior"] == "inclusive",
        "tax_rate": tax["tax_rate_details"]["tax_rate"],
        "taxability_reason": tax["taxability_reason"],
        "taxable_amount": tax["taxable_amount"],
    }


def _line(line: JsonObject) -> JsonObject:
    parent = line["parent"]
    details = parent["subscription_item_details"] or parent["invoice_item_details"]
    exclusive = sum(tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "inclusive")
    item = details.get("subscription_item")
    added: JsonObject = {
        "amount_excluding_tax": line["amount"] - exclusive,
        "plan": None,
        "price": (line["pricing"] or {}).get("price_details"),
        "proration": details["proration"],
        "proration_details": details["proration_details"],
        "tax_amounts": [_tax(tax) for tax in line["taxes"]],
        "tax_rates": [],
        "type": "subscription" if item and not details["proration"] else "invoiceitem",
        "unit_amount_excluding_tax": (line["pricing"] or {}).get("unit_amount_decimal"),
    }
    if added["price"]:
        # A cut-down price: the parts that lines were read for.
        price = added["price"]
        added["price"] = {"id": price["price"], "object": "price", "product": price["product"]}
    if details["invoice_item"]:
        added["invoice_item"] = details["invoice_item"]
    if item:
        added["subscription_item"] = item
    return _reshaped(line, ("parent", "pricing", "taxes", "quantity_decimal", "subtotal"), **added)


def _subscription(shape: JsonObject) -> JsonObject:
    first = shape["items"]["data"][0]
    moved = ("current_period_end", "current_period_start", "current_trial", "billed_until")
    return _reshaped(
        shape,
        ("billing_mode", "billing_schedules", "customer_account", "managed_payments", "status_details"),
        current_period_end=first["current_period_end"],
        current_period_start=first["current_period_start"],
        discount=None,
        items={**shape["items"], "data": [_reshaped(item, moved) for item in shape["items"]["data"]]},
    )


def _credit_note(shape: JsonObject) -> JsonObject:
    gone = ("refunds", "total_taxes", "post_payment_amount", "pre_payment_amount", "customer_account")
    lines = [
        _reshaped(line, ("taxes", "metadata"), tax_amounts=[_tax(tax) for tax in line["taxes"]])
        for line in shape["lines"]["data"]
    ]
    return _reshaped(
        shape,
        gone,
        lines={**shape["lines"], "data": lines},
        refund=shape["refunds"][0]["refund"] if shape["refunds"] else None,
        tax_amounts=[_tax(tax) for tax in shape["total_taxes"]],
    )
