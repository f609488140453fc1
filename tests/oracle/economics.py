"""What people are worth, from raw rows and from the movements that the books give: cash that stayed, what is projected
from churn, what winning somebody cost, and all of it in one currency.

The assumptions are the dbt project's defaults, written down a second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.oracle.bills import Month
from tests.oracle.cash import Payment
from tests.oracle.mrr import ItemMonth
from tests.oracle.raw import Row, Table
from tests.oracle.values import places

MARGIN = Decimal("0.8")
WINDOW = 12
LONGEST = Decimal(60)


def to_minor(amount: Decimal | Fraction, currency: str) -> Decimal:
    """To the currency's minor unit, halves away from zero."""
    return _to(amount, places(currency))


def _to(amount: Decimal | Fraction, digits: int) -> Decimal:
    exact = Fraction(amount) * 10**digits
    whole = int(abs(exact) + Fraction(1, 2))
    return Decimal(whole if exact >= 0 else -whole).scaleb(-digits)


@dataclass(frozen=True)
class Given:
    """What people enter by hand for a client: (month, currency, amount), and (currency, day, rate)."""

    costs: Sequence[tuple[date, str, Decimal]] = ()
    rates: Sequence[tuple[str, date, Decimal]] = ()


@dataclass
class Rates:
    """What a currency was worth in the one in which most of the account's first hundred movements settled."""

    home: str
    days: Mapping[str, Mapping[date, Decimal]]

    @classmethod
    def of(cls, raw: Mapping[str, Table], as_of: datetime, given: Given) -> Rates:
        settled = {row["id"]: row for row in raw["stripe_balance_transactions"].values()}
        then = [row for row in settled.values() if row["created"] < as_of]
        first = [row["currency"] for row in sorted(then, key=lambda row: (row["created"], row["id"]))[:100]]
        home = max(first, key=first.count)
        days: dict[str, dict[date, Decimal]] = defaultdict(dict)
        for row in sorted(raw["stripe_charges"].values(), key=lambda row: (row["created"], row["id"])):
            made = settled.get(row["balance_transaction_id"])
            if made and made["exchange_rate"] and row["created"] < as_of and made["currency"] == home:
                days[row["currency"]][row["created"].date()] = Decimal(str(made["exchange_rate"]))
        by_hand: dict[str, dict[date, Decimal]] = defaultdict(dict)
        for currency, day, rate in given.rates:
            if currency not in days:
                by_hand[currency][day] = rate
        return cls(home, days | by_hand)

    def at(self, currency: str, day: date) -> Decimal | None:
        if currency == self.home:
            return Decimal(1)
        known = self.days.get(currency, {})
        before = [when for when in known if when <= day]
        return known[max(before) if before else min(known)] if known else None

    def convert(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
        rate = self.at(currency, day)
        return None if rate is None else to_minor(amount * rate, self.home)


@dataclass
class Economics:
    """The expected rows of a client."""

    units: list[Row] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    months: list[Row] = field(default_factory=list)


def expected_economics(
    movements: Sequence[Row],
    items: Sequence[ItemMonth],
    people: Mapping[str, str],
    payments: Iterable[Payment],
    rates: Rates,
    given: Given,
    as_of: datetime,
) -> Economics:
    """The rows of mart.unit_economics, the money of mart.customer_lifetime_value, and those of mart.acquisition.

    `people` leads from billing customers to persons.
    """
    found = Economics()
    running = max(item.month for item in items)
    closed = sorted({item.month for item in items} - {running})[-WINDOW:]
    spent, won = _spent(rates, given, as_of), _won(movements)
    # money is spent before the first customer pays
    for month in sorted({item.month for item in items} | {month for month in spent if month <= running}):
        found.months.append({"month": month, "new_persons": won[month], "acquisition_cost": spent.get(month)})
    counted = [month for month, amount in spent.items() if amount is not None and 0 < _months(month, running) <= WINDOW]
    cost, newcomers = sum((spent[month] or Decimal(0) for month in counted), Decimal(0)), sum(won[m] for m in counted)
    cac = to_minor(Fraction(cost) / newcomers, rates.home) if counted and newcomers else None

    last_day = (as_of - timedelta(microseconds=1)).date()
    worth: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        if item.month == running:
            amount = Decimal(item.mrr).scaleb(-places(item.currency))
            worth[people[item.customer]] += rates.convert(amount, item.currency, last_day) or Decimal(0)
    lifetimes: dict[str, Decimal | None] = {}
    for currency in sorted({row["currency"] for row in movements}):
        mine = [row for row in movements if row["currency"] == currency]
        opening = sum(row["month"] in closed and row["opening_mrr"] > 0 for row in mine)
        churned = sum(row["month"] in closed and row["movement"] == "churn" for row in mine)
        now = [row["closing_mrr"] for row in mine if row["month"] == running and row["closing_mrr"]]
        by_churn = _to(Fraction(opening, churned), 2) if churned else LONGEST
        lifetimes[currency] = min(by_churn, LONGEST) if opening else None
        found.units.append(
            {
                "currency": currency,
                "opening_persons": opening,
                "churned_persons": churned,
                "expected_lifetime_months": lifetimes[currency],
                "is_lifetime_capped": bool(opening) and (not churned or by_churn > LONGEST),
                "persons": len(now),
                "mrr": sum(now, Decimal(0)),
                "arpa": to_minor(Fraction(sum(now)) / len(now), currency) if now else None,
                "acquisition_cost_per_person": cac,
            }
        )
    recurring = {(r["person_key"], r["currency"]): r["closing_mrr"] for r in movements if r["month"] == running}
    cash = _cash(payments, rates)
    for person, currency in sorted(recurring.keys() | cash.keys()):
        mrr, lifetime = recurring.get((person, currency), Decimal(0)), lifetimes.get(currency)
        projected = Decimal(0) if not mrr else to_minor(MARGIN * lifetime * mrr, currency) if lifetime else None
        collected, in_home = cash.get((person, currency), (Decimal(0), Decimal(0)))
        margin = MARGIN * worth[person]
        found.people.append(
            {
                "person_key": person,
                "currency": currency,
                "net_cash_collected": collected,
                "reporting_net_cash_collected": in_home,
                "mrr": mrr,
                "projected_value": projected,
                "reporting_projected_value": None
                if projected is None
                else rates.convert(projected, currency, as_of.date()),
                "payback_months": _to(Fraction(cac) / Fraction(margin), 1) if cac is not None and margin else None,
            }
        )
    return found


def _months(earlier: Month, later: Month) -> int:
    """How many months lie between two."""
    return 12 * (later[0] - earlier[0]) + later[1] - earlier[1]


def _spent(rates: Rates, given: Given, as_of: datetime) -> dict[Month, Decimal | None]:
    """Month -> what it cost; None where a part of it can't be converted."""
    spent: dict[Month, Decimal | None] = {}
    for month, currency, amount in given.costs:
        name = (month.year, month.month)
        end = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        part, before = rates.convert(amount, currency.lower(), min(end, as_of.date())), spent.get(name, Decimal(0))
        spent[name] = None if part is None or before is None else before + part
    return spent


def _won(movements: Iterable[Row]) -> Mapping[Month, int]:
    first: dict[str, Month] = {}
    for row in movements:
        first[row["person_key"]] = min(first.get(row["person_key"], row["month"]), row["month"])
    won: dict[Month, int] = defaultdict(int)
    for month in first.values():
        won[month] += 1
    return won


def _cash(payments: Iterable[Payment], rates: Rates) -> dict[tuple[str, str], tuple[Decimal, Decimal | None]]:
    """(person, currency) -> what stayed, in its own currency and in the reporting one."""
    cash: dict[tuple[str, str], tuple[Decimal, Decimal | None]] = {}
    for payment in payments:
        cell = (payment.person, payment.currency)
        own, home = cash.get(cell, (Decimal(0), Decimal(0)))
        part = rates.convert(payment.amount, payment.currency, payment.paid_at.date())
        cash[cell] = (own + payment.amount, None if home is None or part is None else home + part)
    return cash
