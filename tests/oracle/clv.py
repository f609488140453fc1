"""Customer lifetime value from raw rows, in plain Python.

The rules (who is one person, what counts as collected, when a month counts) are those of the mart's documentation,
written down a second time in another language.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.oracle.cash import expected_marks, expected_payments
from tests.oracle.identity import people as people_of
from tests.oracle.raw import Row, Table
from tests.oracle.values import major

IN_FORCE = ("trialing", "active", "past_due")
NEVER_BEGAN = ("incomplete", "incomplete_expired")
CHURNED = ("churned",)
ACTIVE = ("active",)


@dataclass
class _Tally:
    """What one person has to do with one currency."""

    revenue: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    marked: Decimal = Decimal(0)
    paid_at: list[datetime] = field(default_factory=list)
    months: set[tuple[int, int]] = field(default_factory=set)
    plans: list[tuple[datetime, str, str]] = field(default_factory=list)


def expected_clv(raw: Mapping[str, Table], as_of: datetime, client: str = "acme") -> list[Row]:
    """The rows of mart.customer_lifetime_value, one per person and currency, for `raw` as `expected_raw` gives it."""
    people = people_of(raw, client, as_of)
    key_of = {customer: person.key for person in people.values() for customer in person.customers}
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for row in raw["stripe_customers"].values():
        if row["currency"] and row["created"] < as_of:
            tallies[key_of[row["id"]], row["currency"]]
    _count_invoices(raw, as_of, key_of, tallies)
    _count_subscriptions(raw, as_of, key_of, tallies)
    for customer, currency, amount in expected_marks(raw, as_of):
        tallies[key_of[customer], currency].marked += major(amount, currency)
    for payment in expected_payments(raw, as_of, key_of):
        tally = tallies[payment.person, payment.currency]
        tally.gross, tally.cash = tally.gross + payment.gross, tally.cash + payment.amount
    in_force = {key for (key, _), tally in tallies.items() if tally.plans}
    rows = []
    for (key, currency), tally in sorted(tallies.items()):
        person = people[key]
        contact = person.contact or {}
        status = (
            contact.get("customer_status")
            if contact.get("customer_status") is not None
            else contact.get("lifecyclestage")
        )
        rows.append(
            {
                "client_id": client,
                "person_key": key,
                "email": person.email,
                "match": person.match,
                "match_confidence": person.confidence,
                "stripe_customer_ids": len(person.customers),
                "hubspot_contact_id": contact.get("id"),
                "currency": currency,
                "revenue_collected": tally.revenue,
                "invoices_paid": len(tally.paid_at),
                "first_payment_at": min(tally.paid_at, default=None),
                "last_payment_at": max(tally.paid_at, default=None),
                "cash_collected": tally.gross,
                "net_cash_collected": tally.cash,
                "marked_paid_amount": tally.marked,
                "months_active": len(tally.months),
                "plan": max(tally.plans)[2] if tally.plans else None,
                "has_active_subscription": bool(tally.plans),
                "crm_status": status,
                "is_churned_in_crm_but_active": bool(tally.plans) and status in CHURNED,
                "is_active_in_crm_but_churned": bool(tally.months) and key not in in_force and status in ACTIVE,
                "as_of": as_of,
            }
        )
    return rows


def _count_invoices(
    raw: Mapping[str, Table], as_of: datetime, key_of: Mapping[str, str], tallies: dict[tuple[str, str], _Tally]
) -> None:
    for row in raw["stripe_invoices"].values():
        if row["_deleted"] or row["customer_id"] is None or row["created"] >= as_of:
            continue
        cell = (key_of[row["customer_id"]], row["currency"].lower())
        tallies[cell]
        collected_at = row["paid_at"] or row["finalized_at"] or row["created"]
        if row["amount_paid"] > 0 and collected_at < as_of:
            tallies[cell].revenue += major(row["amount_paid"], row["currency"].lower())
            tallies[cell].paid_at.append(collected_at)


def _count_subscriptions(
    raw: Mapping[str, Table], as_of: datetime, key_of: Mapping[str, str], tallies: dict[tuple[str, str], _Tally]
) -> None:
    items = defaultdict(list)
    for item in raw["stripe_subscription_items"].values():
        if not item["_deleted"]:
            items[item["subscription_id"]].append(item)
    for row in raw["stripe_subscriptions"].values():
        if row["_deleted"] or row["created"] >= as_of or row["customer_id"] is None:
            continue
        tally = tallies[key_of[row["customer_id"]], row["currency"].lower()]
        began = row["start_date"] or row["created"]
        if row["status"] in IN_FORCE:
            tally.plans.append((began, row["id"], _plan(raw, items[row["id"]])))
        for paid_from, paid_until in terms_of(row, as_of):
            tally.months |= _months(paid_from, min(paid_until or as_of, as_of))


def terms_of(row: Row, as_of: datetime) -> list[tuple[datetime, datetime | None]]:
    """From when until when a subscription is paid for: until it ends or is paused, its trial left out."""
    if row["_deleted"] or row["status"] in NEVER_BEGAN or row["created"] >= as_of:
        return []
    began, over = row["start_date"] or row["created"], row["ended_at"]
    over = over if over and over < as_of else None
    trial = (row["trial_start"], row["trial_end"])
    if row["status"] == "paused":
        over = row["paused_at"] or trial[1] or began
    stretches = [(max(began, trial[1] or began), over)]
    if trial[0] and trial[0] >= began + timedelta(days=1):
        # given to somebody who had paid before
        stretches.insert(0, (began, min(trial[0], over or trial[0])))
    return [(start, end) for start, end in stretches if end is None or end > start]


def _plan(raw: Mapping[str, Table], items: list[Row]) -> str:
    item = min(items, key=lambda item: (item["usage_type"] == "metered", -_worth(item), item["id"]))
    product = raw["stripe_products"].get((item["product_id"],), {})
    price = raw["stripe_prices"].get((item["price_id"],), {})
    return str(product.get("name") or price.get("nickname") or item["price_id"])


def _worth(item: Row) -> Decimal:
    """What one billing of an item comes to, in minor units."""
    unit = Decimal(item["unit_amount_decimal"] or item["unit_amount"] or 0)
    return unit * (1 if item["quantity"] is None else item["quantity"])


def _months(start: datetime, end: datetime) -> set[tuple[int, int]]:
    """The calendar months that [start, end) touches."""
    found = set()
    if start < end:
        last = end - timedelta(microseconds=1)
        year, month = start.year, start.month
        while (year, month) <= (last.year, last.month):
            found.add((year, month))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found
