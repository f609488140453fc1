"""The oracle says of the worked examples of money what they say, so that it can judge the marts of whole companies."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.examples.book import examples
from tests.examples.rows import typed
from tests.oracle.cash import expected_marks
from tests.oracle.revenue import by_invoice, expected_bookings, expected_cash
from tests.oracle.values import major

AS_OF = datetime.fromisoformat("2026-02-01T00:00:00+00:00")
JUDGED = {"mart.invoices", "mart.payments", "mart.revenue"}
BOOK = {name: example for name, example in examples().items() if JUDGED & example.expect.get("rows", {}).keys()}


def test_the_book_has_examples_of_money() -> None:
    assert len(BOOK) > 40


@pytest.mark.parametrize("name", BOOK)
def test_the_oracle_says_what_the_example_says(name: str) -> None:
    example = BOOK[name]
    raw, rows = typed(example.rows), example.expect["rows"]
    bookings = expected_bookings(raw, AS_OF)
    invoices = given(rows, "mart.invoices")
    if invoices and all("net_revenue" in row for row in invoices):
        ids = [id_ for (id_,) in raw["stripe_invoices"]]
        revenue = by_invoice(bookings)
        assert {row.get("invoice_id", ids[0]): money(row["net_revenue"]) for row in invoices} == {
            id_: revenue.get(id_, Decimal(0)) for id_ in ids
        }
    if invoices and all("marked_paid_amount" in row for row in invoices):
        marks = sum((major(amount, currency) for _, currency, amount in expected_marks(raw, AS_OF)), Decimal(0))
        assert marks == sum(money(row["marked_paid_amount"]) for row in invoices)
    journal = given(rows, "mart.revenue")
    if journal and all({"kind", "amount"} <= row.keys() for row in journal):
        said: dict[str, Decimal] = defaultdict(Decimal)
        for row in journal:
            said[row["kind"]] += money(row["amount"])
        found: dict[str, Decimal] = defaultdict(Decimal)
        for _, kind, currency, _, amount in bookings:
            found[kind] += major(amount, currency)
        assert found == said
    payments = given(rows, "mart.payments")
    if payments and all("net_amount" in row for row in payments):
        assert sum(expected_cash(raw, AS_OF).values()) == sum(money(row["net_amount"]) for row in payments)


def given(rows: dict[str, Any], mart: str) -> list[dict[str, Any]]:
    """What the example expects of a mart as a whole."""
    found = rows.get(mart, [])
    return found if isinstance(found, list) else []


def money(amount: Any) -> Decimal:
    return Decimal(str(amount))
