"""Ranges reject a record with all its lines, so an amount has one only where Stripe's reference states its sign."""

import copy
import json
from typing import Any

import msgspec
import pytest

from simulators.books import world_books
from simulators.world.build import build
from tributary.contracts.loader import load_all
from tributary.contracts.model import Contract
from tributary.flatten.careful import CarefulReader
from tributary.flatten.rows import Reading, Rejected
from tributary.sources import source

STRIPE = load_all()["stripe"]
#: "A positive integer representing how much to charge", "… how much of this charge to refund", "… the amount to
#: subtract from an invoice total", and what is a part of one of these.
STATED = {
    "charges.amount",
    "charges.amount_captured",
    "charges.amount_refunded",
    "charges.application_fee_amount",
    "charges.presentment_amount",
    "refunds.amount",
    "coupons.amount_off",
}
#: Where an amount stands in Stripe's objects: "amount" itself, or its end or beginning.
_AMOUNTS = ("amount", "total", "subtotal", "balance")


def test_only_amounts_whose_sign_is_stated_have_a_range():
    found = {
        f"{table.stream}.{column.name}"
        for contract in STRIPE.values()
        for table in contract.tables
        for column in table.columns
        if (column.unit or "").startswith("minor") and (column.min is not None or column.max is not None)
    }
    assert found == STATED


@pytest.mark.parametrize("stream", ["invoices", "credit_notes", "disputes", "invoice_payments", "balance_transactions"])
def test_an_amount_of_the_other_sign_is_no_reject(stream: str):
    contract = STRIPE[stream]
    world = build(7, 25)
    objects = [line["object"] for line in world_books(world, stream, 1_767_225_600_000) if not line["deleted_at"]]
    turned = [_turned(item) for item in objects[:200]]
    assert turned and turned != objects[:200]
    assert not [reading.error for item in turned if isinstance(reading := _read(contract, item), Rejected)]


def test_the_discount_of_a_prorated_credit_is_negative():
    world = build(7, 25)
    objects = [line["object"] for line in world_books(world, "invoices", 1_767_225_600_000) if not line["deleted_at"]]
    invoice = next(copy.deepcopy(item) for item in objects if item["total_discount_amounts"])
    invoice["total_discount_amounts"][0]["amount"] = -150
    reading = _read(STRIPE["invoices"], invoice)
    assert isinstance(reading, Reading)
    [discount] = dict(reading.children)["invoice_discounts"]
    assert discount.amount == -150


def test_a_charge_below_nothing_is_rejected():
    """The ranges that are left still hold."""
    world = build(7, 25)
    charge = next(iter(world_books(world, "charges", 1_767_225_600_000)))["object"]
    assert isinstance(_read(STRIPE["charges"], charge), Reading)
    assert isinstance(_read(STRIPE["charges"], charge | {"amount": -1}), Rejected)


def _read(contract: Contract, item: Any) -> Any:
    return CarefulReader(source("stripe"), contract).read(msgspec.Raw(json.dumps(item).encode()))


def _turned(value: Any, name: str = "") -> Any:
    """The object with every amount of the other sign."""
    if isinstance(value, dict):
        return {key: _turned(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_turned(part, name) for part in value]
    amount = name.startswith(_AMOUNTS) or name.endswith(_AMOUNTS)
    return (
        -value if amount and isinstance(value, int) and not isinstance(value, bool) and name != "total_count" else value
    )
