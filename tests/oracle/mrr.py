"""Monthly recurring revenue out of the books: what every subscription was at the last moment of every month.

Nothing is reconstructed here: the books know each object as it was at any moment. When a subscription was in force is
taken from its last state, since Stripe tells no more of a past state than a start, an end of the trial and an end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.bills import A_YEAR, Month, bills_of
from tests.oracle.books import Books, Json
from tests.oracle.clv import terms_of
from tests.oracle.identity import person_of
from tests.oracle.raw import Row, Table
from tests.oracle.values import epoch, major

_LAST = timedelta(milliseconds=1)


@dataclass(frozen=True)
class ItemMonth:
    """What one item comes to at the end of one month, in minor units."""

    month: Month
    subscription: str
    item: str
    customer: str
    currency: str
    price: str
    quantity: int | None
    mrr: int
    witnessed: bool
    """Whether a pipeline can know of this price and quantity: by an invoice line, an event, or a load."""


def month_ends(first: datetime, as_of: datetime, zone: tzinfo) -> dict[Month, datetime]:
    """Month -> its end in UTC, exclusive; the running month ends at `as_of`."""
    ends: dict[Month, datetime] = {}
    local = first.astimezone(zone)
    year, month = local.year, local.month
    while True:
        name = (year, month)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        end = datetime(year, month, 1, tzinfo=zone)
        if end >= as_of:
            return ends | {name: as_of}
        ends[name] = end


def expected_mrr(
    books: Books, raw: Mapping[str, Table], as_of: datetime, zone: tzinfo, first_load: datetime
) -> list[ItemMonth]:
    """The rows of mart.mrr, without its persons and names.

    What an item was is read in the books, what that comes to on its bills: of a whole period at that price and quantity
    the bill that covers the moment, else the next one, else the last one. Else it is price times quantity.
    """
    told = _told(raw)
    bills = bills_of(raw, as_of)
    terms = {row["id"]: terms for row in raw["stripe_subscriptions"].values() if (terms := terms_of(row, as_of))}
    billed_on = {row["id"] for row in raw["stripe_subscriptions"].values() if row["status"] not in ("unpaid", "paused")}
    found: list[ItemMonth] = []
    if not terms:
        return found
    for month, end in month_ends(min(start for pair in terms.values() for start, _ in pair), as_of, zone).items():
        moment = end - _LAST
        prices = {id_: entry.object for id_, entry in books.at("prices", moment).items()}
        for id_, entry in books.at("subscriptions", moment).items():
            if not any(start < end and (over is None or over >= end) for start, over in terms.get(id_, ())):
                continue
            lowered = _lowered(books, entry.object, moment)
            for item in entry.object["items"]["data"]:
                price = prices[item["price"]["id"]]
                mine = bills[item["id"]]
                if not mine.owed_at(end) and (id_ not in billed_on or mine.is_between(end)):
                    continue
                if price["recurring"]["usage_type"] == "licensed":
                    exact = mine.whole(price["id"], item["quantity"], end)
                    if exact is None:
                        exact = _monthly(item, price) * lowered * (1 - mine.tax)
                    state = (item["id"], price["id"], item["quantity"])
                    witnessed = first_load < end or any(told_at < end for told_at in told[state])
                else:
                    exact, witnessed = mine.average(end), True
                if exact is not None:
                    found.append(
                        ItemMonth(
                            month=month,
                            subscription=id_,
                            item=item["id"],
                            customer=entry.object["customer"],
                            currency=entry.object["currency"],
                            price=price["id"],
                            quantity=item.get("quantity"),
                            mrr=_rounded(exact),
                            witnessed=witnessed,
                        )
                    )
    return found


def _told(raw: Mapping[str, Table]) -> Mapping[tuple[str, str, int], list[datetime]]:
    """(item, price, quantity) -> when an invoice line or an event tells of it."""
    told: dict[tuple[str, str, int], list[datetime]] = defaultdict(list)
    for line in raw["stripe_invoice_lines"].values():
        told[line["subscription_item_id"], line["price_id"], line["quantity"]].append(line["period_start"])
    for event in raw["stripe_events"].values():
        if event["type"].startswith("customer.subscription."):
            for item in event["object_snapshot"]["items"]["data"]:
                told[item["id"], item["price"]["id"], item.get("quantity", 0)].append(event["created"])
    return told


def _monthly(item: Json, price: Json) -> Fraction:
    """What the bills of an item come to in a month, in minor units, exact."""
    recurring = price["recurring"]
    share = Fraction(A_YEAR[recurring["interval"]], 12 * recurring["interval_count"])
    quantity: int = item["quantity"]
    if price["billing_scheme"] == "tiered":
        return share * sum(_tiers(price["tiers"], quantity), Fraction(0))
    return share * Fraction(price["unit_amount_decimal"]) * quantity


def _tiers(tiers: list[Json], quantity: int) -> Iterable[Fraction]:
    """Graduated tiers: each prices the units that fall into it."""
    below = 0
    for tier in tiers:
        top = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if top > below:
            yield (top - below) * Fraction(tier["unit_amount_decimal"]) + Fraction(tier["flat_amount_decimal"] or 0)
        below = max(below, top)


def _lowered(books: Books, subscription: Json, moment: datetime) -> Fraction:
    """What lasting discounts leave of a bill."""
    left = Fraction(1)
    for id_ in subscription["discounts"]:
        discount = books.at("discounts", moment)[id_].object
        terms = books.at("coupons", moment)[discount["source"]["coupon"]].object
        end = epoch(discount["end"])
        if terms["duration"] != "once" and (end is None or moment < end):
            left *= 1 - Fraction(str(terms["percent_off"])) / 100
    return left


def _rounded(amount: Fraction) -> int:
    """To the minor unit, halves up."""
    return int(amount + Fraction(1, 2))


def expected_movements(items: Iterable[ItemMonth], raw: Mapping[str, Table], as_of: datetime, client: str) -> list[Row]:
    """The rows of mart.mrr_movements, amounts in major units."""
    months = sorted({item.month for item in items})
    held: dict[tuple[str, str], dict[Month, int]] = defaultdict(lambda: defaultdict(int))
    people = person_of(raw, as_of, client)
    for item in items:
        held[people[item.customer], item.currency][item.month] += item.mrr
    rows: list[Row] = []
    for (person, currency), by_month in sorted(held.items()):
        before, known = 0, False
        for month in months:
            now = by_month.get(month, 0)
            if now or before:
                kind = _kind(before, now, known=known)
                rows.append(_movement(client, person, currency, month, kind, before, now))
            before, known = now, known or now > 0
    return rows


def _kind(before: int, now: int, *, known: bool) -> str:
    if before == 0:
        return "reactivation" if known else "new"
    if now == 0:
        return "churn"
    return "unchanged" if now == before else "expansion" if now > before else "contraction"


def _movement(client: str, person: str, currency: str, month: Month, kind: str, before: int, now: int) -> Row:
    row: dict[str, Any] = {
        "client_id": client,
        "person_key": person,
        "currency": currency,
        "month": month,
        "movement": kind,
        "opening_mrr": major(before, currency),
        "closing_mrr": major(now, currency),
    }
    for name in ("new", "reactivation", "expansion", "contraction", "churn"):
        row[f"{name}_mrr"] = major(now - before, currency) if name == kind else Decimal(0)
    return row
