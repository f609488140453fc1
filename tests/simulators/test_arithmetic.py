"""Every version of every invoice adds up."""

from __future__ import annotations

import pytest

from simulators.world.account import Account
from simulators.world.build import World, empty_store
from simulators.world.catalog import Catalog
from simulators.world.ids import Ids
from simulators.world.money import CURRENCIES, charge, decimal_text, spread
from simulators.world.store import JsonObject

#: Three-decimal currencies are charged in tens, and two that have no decimals in hundreds.
STEPS = {"kwd": 10, "bhd": 10, "tnd": 10, "isk": 100, "ugx": 100}


def check(invoice: JsonObject) -> None:
    lines = invoice["lines"]["data"]
    assert invoice["lines"]["total_count"] == len(lines) > 0
    assert invoice["subtotal"] == sum(line["amount"] for line in lines)
    discounts = sum(part["amount"] for line in lines for part in line["discount_amounts"])
    assert sum(part["amount"] for part in invoice["total_discount_amounts"]) == discounts
    assert sum(part["amount"] for part in invoice["total_pretax_credit_amounts"]) == discounts
    taxes = [tax for line in lines for tax in line["taxes"]]
    assert sum(tax["amount"] for tax in invoice["total_taxes"]) == sum(tax["amount"] for tax in taxes)
    exclusive = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    inclusive = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    assert invoice["total"] == invoice["subtotal"] - discounts + exclusive
    assert invoice["total_excluding_tax"] == invoice["total"] - exclusive - inclusive
    due = max(0, invoice["total"] + invoice["starting_balance"])
    assert invoice["amount_due"] == due - invoice["pre_payment_credit_notes_amount"] >= 0
    assert invoice["amount_remaining"] == invoice["amount_due"] - invoice["amount_paid"]
    assert 0 <= invoice["post_payment_credit_notes_amount"] <= invoice["amount_paid"]
    if invoice["status"] == "draft":
        assert invoice["ending_balance"] is None
        assert invoice["number"] is None
    else:
        assert invoice["ending_balance"] == min(0, invoice["total"] + invoice["starting_balance"])
        assert invoice["number"]
    if invoice["status"] == "paid":
        assert invoice["amount_remaining"] == 0
        assert invoice["status_transitions"]["paid_at"]
    else:
        assert invoice["amount_paid"] == 0
    step = STEPS.get(invoice["currency"], 1)
    assert all(line["amount"] % step == 0 for line in lines)
    assert invoice["total"] % step == invoice["amount_due"] % step == 0


def test_every_version_adds_up(world: World) -> None:
    for record in world.store["invoices"].records.values():
        for version in record.versions:
            check(version.object)


def test_balances_are_carried_from_invoice_to_invoice(world: World) -> None:
    """A customer's balance changes only by finalising and voiding, and every invoice starts from it."""
    balances: dict[str, int] = {}
    finalized = []
    for record in world.store["invoices"].records.values():
        for version in record.versions:
            if version.object["status_transitions"]["finalized_at"] and not version.gone:
                finalized.append((version.at, version.object))
                break
    voided = {
        record.id
        for record in world.store["invoices"].records.values()
        if record.versions[-1].object["status"] == "void"
    }
    finalized.sort(key=lambda pair: pair[0])
    used = 0
    for _, invoice in finalized:
        customer = invoice["customer"]
        assert invoice["starting_balance"] == balances.get(customer, 0)
        if invoice["id"] not in voided:
            balances[customer] = invoice["ending_balance"]
        used += invoice["starting_balance"] < 0
    assert used > 5


def test_tiers_and_fractions() -> None:
    catalog = Catalog(empty_store(Account()), Ids(1))
    catalog.open()
    tiered = [price for price in catalog.by_id.values() if price.tiers and price.currency == "usd"]
    assert tiered[0].amount(10) == 0
    assert tiered[0].amount(110) == 90 * 50 + 10 * 25
    metered = catalog.price("API calls", "usd", "month")
    assert metered.amount(1_001) == 250
    assert metered.amount(1_002) == 251


@pytest.mark.parametrize(("amount", "expected"), [(5, 10), (-5, -10), (4, 0), (14, 10), (15, 20)])
def test_kuwait_charges_in_tens(amount: int, expected: int) -> None:
    assert charge("kwd", amount) == expected


def test_parts_add_up() -> None:
    for currency in CURRENCIES:
        assert sum(spread(currency, 1_000, [1, 1, 1])) == 1_000
    assert spread("usd", 10, [0, 0]) == [0, 0]


def test_decimal_texts() -> None:
    assert decimal_text(2_900) == "2900"
    assert decimal_text(CURRENCIES["eur"].per_dollar_cent / 4) == "0.225"
