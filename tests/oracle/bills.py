"""What invoices say that subscription items come to in a month, line by line from raw rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from tests.oracle.clv import terms_of
from tests.oracle.raw import Row, Table

Month = tuple[int, int]
#: How often an interval is billed in a year.
A_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365}


@dataclass(frozen=True)
class Bill:
    """The lines of an item for one whole period. `monthly` is in minor units."""

    start: datetime
    end: datetime
    price: str | None
    quantity: int
    monthly: Fraction
    usage: bool


@dataclass
class Bills:
    """All that was billed for one item."""

    whole_periods: list[Bill] = field(default_factory=list)
    #: Parts of periods that were charged after a change, and whole periods whose invoice was voided.
    parts: list[tuple[datetime, datetime]] = field(default_factory=list)
    voided: list[tuple[datetime, datetime]] = field(default_factory=list)
    #: Whether anything was charged or given back in the middle of a period.
    changed: bool = False
    #: Share of the amounts that is tax, where prices contain it.
    tax: Fraction = Fraction(0)

    def owed_at(self, end: datetime) -> bool:
        """Whether something is owed for the last moment before `end`."""
        return any(start < end <= until for start, until in self._stretches())

    def is_between(self, end: datetime) -> bool:
        """Whether bills on either side leave the moment out, or the one for it was voided."""
        stretches = self._stretches()
        before, after = (any(until < end for _, until in stretches), any(start >= end for start, _ in stretches))
        return (before and after) or any(start < end <= until for start, until in self.voided)

    def _stretches(self) -> list[tuple[datetime, datetime]]:
        agreed = [(bill.start, bill.end) for bill in self.whole_periods if not bill.usage]
        # usage is billed afterwards, so it speaks for the period that follows
        used = sorted((bill.start, bill.end) for bill in self.whole_periods if bill.usage)
        spoken = [(one[1], two[1]) for one, two in pairwise(used)]
        return agreed + self.parts + spoken + [(end, end + (end - start)) for start, end in used[-1:]]

    def whole(self, price: str, quantity: int, end: datetime) -> Fraction | None:
        """What a whole period at that price and quantity was billed at, as near to the moment as there is a bill."""
        same = [bill for bill in self.whole_periods if (bill.price, bill.quantity) == (price, quantity)]
        covering = [bill for bill in same if bill.start < end <= bill.end]
        later = [bill for bill in same if bill.start >= end]
        if covering:
            return max(covering, key=lambda bill: bill.start).monthly
        if later:
            return min(later, key=lambda bill: bill.start).monthly
        return max(same, key=lambda bill: bill.start).monthly if same else None

    def at(self, end: datetime) -> int:
        """What the bill for the last moment before `end` comes to in a month, rounded; of usage the mean of three."""
        whole = [bill for bill in self.whole_periods if not bill.usage and bill.start < end <= bill.end]
        exact = max(whole, key=lambda bill: bill.start).monthly if whole else self.average(end)
        return int((exact or Fraction(0)) + Fraction(1, 2))

    def is_before(self, end: datetime) -> bool:
        """Whether the first of its bills comes later."""
        starts = [start for start, _ in self._stretches()]
        return bool(starts) and end <= min(starts)

    def average(self, end: datetime) -> Fraction | None:
        """The mean of the last three bills of metered usage, each rounded; None before the first."""
        past = sorted((bill.end, bill.monthly) for bill in self.whole_periods if bill.usage and bill.end < end)[-3:]
        return sum((Fraction(int(m + Fraction(1, 2))) for _, m in past), Fraction(0)) / len(past) if past else None


def bills_of(raw: Mapping[str, Table], as_of: datetime) -> Mapping[str, Bills]:
    """Subscription item -> its bills."""
    prices = {row["id"]: row for row in raw["stripe_prices"].values()}
    trials = {row["id"]: row["trial_end"] for row in raw["stripe_subscriptions"].values()}
    status = {row["id"]: row["status"] for row in raw["stripe_invoices"].values()}
    passing = _for_one_bill(raw)
    grouped: dict[tuple[str, datetime, datetime], list[Row]] = defaultdict(list)
    found: dict[str, Bills] = defaultdict(Bills)
    for line in raw["stripe_invoice_lines"].values():
        item, start, end = line["subscription_item_id"], line["period_start"], line["period_end"]
        state = status.get(line["invoice_id"], line["invoice_status"])
        if item is None or line["_deleted"] or line["invoice_created"] >= as_of or not start < end or state == "draft":
            continue
        if state == "void":
            if not line["proration"]:
                found[item].voided.append((start, end))
        elif line["proration"]:
            found[item].changed = True
            if line["amount"] > 0:
                found[item].parts.append((start, end))
        else:
            grouped[item, start, end].append(line)
    for (item, start, end), lines in grouped.items():
        price = prices.get(lines[0]["price_id"])
        trial_end = trials.get(lines[0]["subscription_id"])
        if trial_end and end <= trial_end and not any(line["amount"] for line in lines):
            continue
        interval, count = _rhythm(price, start, end)
        bill = sum((_net(line, passing) for line in lines), Fraction(0))
        usage = price is not None and price["usage_type"] == "metered"
        monthly = bill * _share(start, end, interval, count) * A_YEAR[interval] / (12 * count)
        quantity = sum(line["quantity"] or 0 for line in lines)
        found[item].whole_periods.append(Bill(start, end, lines[0]["price_id"], quantity, monthly, usage))
        found[item].tax = max(found[item].tax, *(_tax_share(line) for line in lines))
    return found


def _rhythm(price: Row | None, start: datetime, end: datetime) -> tuple[str, int]:
    """How often the price is billed; of one that no list has, the length of the period says it."""
    if price is not None:
        return price["recurring_interval"], price["recurring_interval_count"] or 1
    days = round((end - start).total_seconds() / 86400)
    if days >= 28:
        return "month", round(days / 30.4375)
    return ("week", days // 7) if days % 7 == 0 else ("day", days)


def _share(start: datetime, end: datetime, interval: str, count: int) -> Fraction:
    """How many times a stretch goes into a whole period: once, unless it is clearly shorter or longer."""
    if interval in ("day", "week"):
        days = count * (7 if interval == "week" else 1)
    else:
        months = 12 * end.year + end.month - 1 - count * (12 if interval == "year" else 1)
        first = end.replace(year=months // 12, month=months % 12 + 1, day=1)
        days = (end.replace(day=1) - first).days
    share = Fraction(days * 86400, int((end - start).total_seconds()))
    return Fraction(1) if Fraction(88, 100) <= 1 / share <= Fraction(112, 100) else share


def _for_one_bill(raw: Mapping[str, Table]) -> set[str]:
    """Discounts of coupons that lower one bill only."""
    once = {row["id"] for row in raw["stripe_coupons"].values() if row["duration"] == "once"}
    return {row["discount_id"] for row in raw["stripe_invoice_discounts"].values() if row["coupon_id"] in once}


def _off(line: Row) -> int:
    return sum(cut["amount"] for cut in line["discount_amounts"] or ())


def _tax_share(line: Row) -> Fraction:
    """The part of what is left after discounts that is tax."""
    parts = line["taxes"] or ()
    within = sum(p["amount"] for p in parts if p.get("tax_behavior") == "inclusive" or p.get("inclusive") is True)
    left = line["amount"] - _off(line)
    return Fraction(within, left) if left else Fraction(0)


def _net(line: Row, passing: set[str]) -> Fraction:
    """What a line bills in minor units, less lasting discounts, billing credits and the tax within it."""
    lasting: int = sum(cut["amount"] for cut in line["discount_amounts"] or () if cut["discount"] not in passing)
    paid: int = sum(
        part["amount"] for part in line["pretax_credit_amounts"] or () if part["type"] == "credit_balance_transaction"
    )
    return Fraction(line["amount"] - lasting) * (1 - _tax_share(line)) - paid


def billed_mrr(raw: Mapping[str, Table], ends: Mapping[Month, datetime], as_of: datetime) -> dict[Month, int] | None:
    """Month -> recurring revenue of one currency by whole bills alone, in minor units.

    None where that isn't enough: a part of a period was billed, or something is in force that no bill speaks for.
    """
    bills, found = bills_of(raw, as_of), dict.fromkeys(ends, 0)
    subscriptions = {row["id"]: row for row in raw["stripe_subscriptions"].values()}
    owner = {line["subscription_item_id"]: line["subscription_id"] for line in raw["stripe_invoice_lines"].values()}
    listed = {row["id"]: (row["price_id"], row["quantity"]) for row in raw["stripe_subscription_items"].values()}
    owner |= {row["id"]: row["subscription_id"] for row in raw["stripe_subscription_items"].values()}
    for item, subscription in owner.items():
        if item is None or (row := subscriptions.get(subscription)) is None:
            continue
        mine, terms = bills[item], terms_of(row, as_of)
        goes_on = item in listed and row["status"] not in ("unpaid", "paused") and row["pause_behavior"] != "void"
        last = max((bill for bill in mine.whole_periods if not bill.usage), key=lambda bill: bill.start, default=None)
        if terms and (
            mine.changed or (last and listed.get(item, (last.price, last.quantity)) != (last.price, last.quantity))
        ):
            return None
        for month, end in ends.items():
            if not any(start < end and (over is None or over >= end) for start, over in terms):
                continue
            if mine.owed_at(end):
                found[month] += mine.at(end)
            elif goes_on and not mine.is_between(end) and not mine.is_before(end):
                return None
    return found
