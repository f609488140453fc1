"""Revenue, cash and recurring revenue equal the books, to the minor unit, for every world and currency."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.conftest import AS_OF, GIVEN, WORLDS, ZONES
from tests.dbt.runner import DbtRun
from tests.dbt.warehouse import Warehouse
from tests.dbt.world import Loaded, day
from tests.oracle import Books
from tests.oracle.cash import expected_balances, expected_causes, expected_fees, expected_payments, expected_payouts
from tests.oracle.compare import compare_rows
from tests.oracle.economics import Rates, expected_economics
from tests.oracle.identity import person_of
from tests.oracle.mrr import ItemMonth, expected_movements, expected_mrr
from tests.oracle.raw import Row
from tests.oracle.revenue import by_invoice, by_month, expected_bookings, expected_cash
from tests.oracle.values import major

pytestmark = [pytest.mark.emulators, pytest.mark.parametrize("client", WORLDS)]
FIRST_LOAD = day(2026, 1, 4, 6)


def test_net_revenue_equals_the_documents(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    bookings = expected_bookings(worlds[client].raw, AS_OF)
    assert {kind for _, kind, *_ in bookings} >= {
        "billed",
        "credit_note",
        "credit_note_voided",
        "refund",
        "lost_dispute",
    }
    rows = warehouse.query(f"select invoice_id, net_revenue from mart.invoices where client_id = '{client}'")
    actual = {row["invoice_id"]: row["net_revenue"] for row in rows if row["net_revenue"]}
    assert actual == {invoice: amount for invoice, amount in by_invoice(bookings).items() if amount}
    rows = warehouse.query(
        "select currency, kind, extract(year from booked_on) as year, extract(month from booked_on) as month, "
        f"sum(amount) as amount from mart.revenue where client_id = '{client}' group by 1, 2, 3, 4"
    )
    months = {(r["currency"], r["kind"], (r["year"], r["month"])): r["amount"] for r in rows if r["amount"]}
    assert months == by_month(bookings, ZoneInfo(ZONES[client]))
    assert {currency for currency, _, _ in months} >= {"usd", "eur", "jpy", "kwd"}


def test_cash_equals_what_moved(built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str) -> None:
    rows = warehouse.query(
        f"select currency, sum(net_amount) as cash from mart.payments where client_id = '{client}' group by currency"
    )
    assert {row["currency"]: row["cash"] for row in rows} == expected_cash(worlds[client].raw, AS_OF)


def test_balances_equal_what_stripe_settled(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    expected = expected_balances(worlds[client].raw, AS_OF, ZoneInfo(ZONES[client]))
    rows = warehouse.query(f"select * from mart.balance_days where client_id = '{client}'")
    actual = {(row["currency"], row["day"]): row["closing_balance"] for row in rows}
    assert {cell: actual.get(cell) for cell in expected} == expected
    quiet = [row for row in rows if (row["currency"], row["day"]) not in expected]
    moved = warehouse.query(f"select * from mart.balance_transactions where client_id = '{client}'")
    causes = {row["balance_transaction_id"]: (row["invoice_id"], row["customer_id"]) for row in moved}
    assert causes == expected_causes(worlds[client].raw, AS_OF)
    assert quiet and all(row["opening_balance"] == row["closing_balance"] for row in quiet)
    for kind in ("charges", "refunds", "disputes", "fees", "payouts"):
        assert any(row[kind] for row in rows), kind


def test_fees_equal_what_was_withheld_and_billed(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    rows = warehouse.query(f"select * from mart.fees where client_id = '{client}'")
    actual = {(row["balance_transaction_id"], row["position"]): (row["description"], row["amount"]) for row in rows}
    assert actual == expected_fees(worlds[client].raw, AS_OF)
    assert {row["reporting_category"] for row in rows} >= {"charge", "dispute", "payout", "fee"}
    assert any(row["amount"] < 0 for row in rows) and any(row["position"] == 1 for row in rows)


def test_payouts_equal_what_had_become_available(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], client: str
) -> None:
    expected = expected_payouts(worlds[client].raw, AS_OF)
    rows = warehouse.query(f"select * from mart.payouts where client_id = '{client}'")
    assert compare_rows(["payout_id"], expected, rows) == []
    assert any(row["returned_amount"] for row in rows) and any(row["left_available"] for row in rows)
    assert any(row["left_available"] == 0 for row in rows)


@pytest.fixture(scope="module")
def items(ledgers: dict[str, Books], worlds: dict[str, Loaded]) -> dict[str, list[ItemMonth]]:
    """Client -> recurring revenue per item and month, by the books."""
    return {
        client: expected_mrr(books, worlds[client].raw, AS_OF, ZoneInfo(ZONES[client]), FIRST_LOAD)
        for client, books in ledgers.items()
    }


def test_mrr_equals_the_books(
    built: DbtRun, warehouse: Warehouse, items: dict[str, list[ItemMonth]], client: str
) -> None:
    expected: list[Row] = []
    for item in items[client]:
        row: Row = {"month": item.month, "subscription_item_id": item.item, "currency": item.currency}
        if item.witnessed:
            row |= {"price_id": item.price, "quantity": item.quantity, "mrr": major(item.mrr, item.currency)}
        expected.append(row)
    rows = warehouse.query(f"select * from mart.mrr where client_id = '{client}'")
    actual = [row | {"month": (row["month"].year, row["month"].month)} for row in rows]
    assert compare_rows(["month", "subscription_item_id"], expected, actual) == []
    # of a change that was never billed nor announced before the first load nobody can know; it must stay an exception
    assert sum(not item.witnessed for item in items[client]) < len(expected) / 50
    assert {item.currency for item in items[client]} >= {"usd", "eur", "jpy", "kwd"}


def test_movements_equal_the_books(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], items: dict[str, list[ItemMonth]], client: str
) -> None:
    people = person_of(worlds[client].raw, AS_OF, client)
    unknowable = {(people[item.customer], item.currency) for item in items[client] if not item.witnessed}

    def knowable(rows: list[Row]) -> list[Row]:
        return [row for row in rows if (row["person_key"], row["currency"]) not in unknowable]

    expected = knowable(expected_movements(items[client], worlds[client].raw, AS_OF, client))
    rows = warehouse.query(f"select * from mart.mrr_movements where client_id = '{client}'")
    actual = knowable([row | {"month": (row["month"].year, row["month"].month)} for row in rows])
    assert compare_rows(["person_key", "currency", "month"], expected, actual) == []
    kinds = {row["movement"] for row in expected}
    assert kinds == {"new", "expansion", "contraction", "churn", "reactivation", "unchanged"}


def test_what_people_are_worth_equals_the_books(
    built: DbtRun, warehouse: Warehouse, worlds: dict[str, Loaded], items: dict[str, list[ItemMonth]], client: str
) -> None:
    raw, given = worlds[client].raw, GIVEN[client]
    people = person_of(raw, AS_OF, client)
    expected = expected_economics(
        expected_movements(items[client], raw, AS_OF, client),
        items[client],
        people,
        expected_payments(raw, AS_OF, people),
        Rates.of(raw, AS_OF, given),
        given,
        AS_OF,
    )
    # what nobody can know is what recurs now only if it was never billed nor seen since
    running = max(item.month for item in items[client])
    assert all(item.witnessed for item in items[client] if item.month == running)

    def actual(table: str) -> list[Row]:
        return warehouse.query(f"select * from mart.{table} where client_id = '{client}'")

    assert compare_rows(["currency"], expected.units, actual("unit_economics")) == []
    months = [row | {"month": (row["month"].year, row["month"].month)} for row in actual("acquisition")]
    known = {row["month"] for row in expected.months}
    assert compare_rows(["month"], expected.months, [row for row in months if row["month"] in known]) == []
    worth = {(row["person_key"], row["currency"]) for row in expected.people}
    rows = [r for r in actual("customer_lifetime_value") if (r["person_key"], r["currency"]) in worth]
    assert compare_rows(["person_key", "currency"], expected.people, rows) == []
    # whoever is left over is worth nothing yet
    others = [r for r in actual("customer_lifetime_value") if (r["person_key"], r["currency"]) not in worth]
    assert not any(r["net_cash_collected"] or r["mrr"] or r["projected_value"] for r in others)
    assert {row["is_lifetime_capped"] for row in expected.units} == {True, False}
    assert any(row["projected_value"] for row in expected.people)
    with_cost = {"acme": True, "zenith": True, "lumen": False}[client]
    assert any(row["payback_months"] for row in expected.people) == with_cost


def test_cohorts_are_the_movements_of_their_people(built: DbtRun, warehouse: Warehouse, client: str) -> None:
    rows = warehouse.query(f"select * from mart.retention where client_id = '{client}'")
    sums: dict[tuple[str, object], Decimal] = {}
    for row in rows:
        sums[row["currency"], row["month"]] = (
            sums.get((row["currency"], row["month"]), Decimal(0)) + row["mrr_retained"]
        )
        if row["months_since_start"] == 0:
            assert (row["persons_retained"], row["mrr_retained"]) == (row["persons_at_start"], row["mrr_at_start"])
    totals = warehouse.query(
        "select m.currency, m.month, sum(m.mrr) as mrr from mart.mrr as m "
        f"where m.client_id = '{client}' group by m.currency, m.month"
    )
    assert {key: amount for key, amount in sums.items() if amount} == {
        (row["currency"], row["month"]): row["mrr"] for row in totals if row["mrr"]
    }
