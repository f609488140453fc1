"""Customer lifetime value from raw rows, in plain Python.

The rules (who is one person, what counts as collected, when a month counts) are those of the mart's documentation,
written down a second time in another language.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle.raw import Row, Table

IN_FORCE = ("trialing", "active", "past_due")
NEVER_BEGAN = ("incomplete", "incomplete_expired")
CHURNED = ("churned",)
_NO_DECIMALS = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
_THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}


def major(amount: int, currency: str) -> Decimal:
    """Minor to major units, by Stripe's list of currencies."""
    places = 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    return Decimal(amount).scaleb(-places)


def mailbox(email: str | None) -> str | None:
    """The spelling of an address that identity works with, None if it is no address."""
    text = (email or "").strip().lower()
    local, at, domain = text.partition("@")
    if not at or not domain or "@" in domain or any(c.isspace() for c in text):
        return None
    local = local.partition("+")[0]
    return f"{local}@{domain}" if local else None


def person_key(client: str, kind: str, value: str) -> str:
    return hashlib.sha256(f"{client}|{kind}|{value}".encode()).hexdigest()


@dataclass
class _Person:
    key: str
    email: str | None
    customers: set[str] = field(default_factory=set)
    contact: Row | None = None

    @property
    def match(self) -> str:
        if not self.customers:
            return "crm_only"
        if self.contact is not None:
            return "matched"
        return "stripe_only" if self.email else "no_email"


class _Mailboxes:
    """Which contact each mailbox belongs to: a primary address beats an additional one, then the older contact wins."""

    def __init__(self, contacts: Iterable[Row]) -> None:
        self._claims: dict[str, list[tuple[tuple[Any, ...], Row]]] = defaultdict(list)
        for contact in contacts:
            primary = mailbox(contact["email"])
            others = {mailbox(part) for part in (contact["additional_emails"] or "").split(";")}
            for address in others | {primary}:
                if address:
                    rank = (address != primary, contact["created_at"], int(contact["id"]))
                    self._claims[address].append((rank, contact))

    def owner(self, address: str) -> Row | None:
        claims = self._claims.get(address)
        return min(claims, key=lambda claim: claim[0])[1] if claims else None

    def person(self, address: str) -> str:
        """The address that names the person behind `address`."""
        owner = self.owner(address)
        return (mailbox(owner["email"]) if owner else None) or address

    def addresses(self) -> Iterable[str]:
        return self._claims


def _people(raw: Mapping[str, Table], client: str) -> dict[str, _Person]:
    contacts = [row for row in raw["hubspot_contacts"].values() if not row["_deleted"] and not row["archived"]]
    mailboxes = _Mailboxes(contacts)
    people: dict[str, _Person] = {}

    def person(kind: str, value: str, email: str | None) -> _Person:
        key = person_key(client, kind, value)
        return people.setdefault(key, _Person(key, email))

    for customer, address in _customer_addresses(raw).items():
        if address is None:
            person("stripe", customer, None).customers.add(customer)
        else:
            name = mailboxes.person(address)
            person("email", name, name).customers.add(customer)
    for address in mailboxes.addresses():
        if mailboxes.person(address) == address:
            person("email", address, address).contact = mailboxes.owner(address)
    for contact in contacts:
        has_address = mailbox(contact["email"]) or any(map(mailbox, (contact["additional_emails"] or "").split(";")))
        if not has_address:
            person("hubspot", contact["id"], None).contact = contact
    return people


def _customer_addresses(raw: Mapping[str, Table]) -> dict[str, str | None]:
    """Every customer that billing knows -> its mailbox. Those that were deleted before the first load have no row of
    their own, only invoices with the address of the time."""
    addresses = {row["id"]: mailbox(row["email"]) for row in raw["stripe_customers"].values()}
    printed: dict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
    for row in raw["stripe_invoices"].values():
        if row["customer_id"] and row["customer_id"] not in addresses:
            printed[row["customer_id"]] += [(row["created"], row["id"], row["customer_email"])] * bool(
                row["customer_email"]
            )
    for row in raw["stripe_subscriptions"].values():
        if row["customer_id"] and row["customer_id"] not in addresses:
            printed[row["customer_id"]] += []
    return addresses | {id_: mailbox(max(found)[2]) if found else None for id_, found in printed.items()}


@dataclass
class _Tally:
    """What one person has to do with one currency."""

    revenue: Decimal = Decimal(0)
    paid_at: list[datetime] = field(default_factory=list)
    months: set[tuple[int, int]] = field(default_factory=set)
    plans: list[tuple[datetime, str, str]] = field(default_factory=list)


def expected_clv(raw: Mapping[str, Table], as_of: datetime, client: str = "acme") -> list[Row]:
    """The rows of mart.customer_lifetime_value, one per person and currency, for `raw` as `expected_raw` gives it."""
    people = _people(raw, client)
    key_of = person_of(raw, client)
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for row in raw["stripe_customers"].values():
        if row["currency"] and row["created"] < as_of:
            tallies[key_of[row["id"]], row["currency"]]
    _count_invoices(raw, as_of, key_of, tallies)
    _count_subscriptions(raw, as_of, key_of, tallies)
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
                "stripe_customer_ids": len(person.customers),
                "hubspot_contact_id": contact.get("id"),
                "currency": currency,
                "revenue_collected": tally.revenue,
                "invoices_paid": len(tally.paid_at),
                "first_payment_at": min(tally.paid_at, default=None),
                "last_payment_at": max(tally.paid_at, default=None),
                "months_active": len(tally.months),
                "plan": max(tally.plans)[2] if tally.plans else None,
                "has_active_subscription": bool(tally.plans),
                "crm_status": status,
                "is_churned_in_crm_but_active": bool(tally.plans) and status in CHURNED,
                "as_of": as_of,
            }
        )
    return rows


def person_of(raw: Mapping[str, Table], client: str = "acme") -> dict[str, str]:
    """Billing customer -> key of the person that it is."""
    return {customer: person.key for person in _people(raw, client).values() for customer in person.customers}


def expected_people(raw: Mapping[str, Table], client: str = "acme") -> Counter[str]:
    """How many persons are matched, known to one side only, or without an address."""
    return Counter(person.match for person in _people(raw, client).values())


def _count_invoices(
    raw: Mapping[str, Table], as_of: datetime, key_of: Mapping[str, str], tallies: dict[tuple[str, str], _Tally]
) -> None:
    for row in raw["stripe_invoices"].values():
        if row["_deleted"] or row["customer_id"] is None:
            continue
        cell = (key_of[row["customer_id"]], row["currency"].lower())
        if row["created"] < as_of:
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
        if row["status"] not in NEVER_BEGAN:
            paid_from = max(began, row["trial_end"] or began)
            paid_until = min(row["ended_at"] or as_of, as_of)
            tally.months |= _months(paid_from, paid_until)


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
