"""Who is who: billing customers and CRM contacts as persons, and the companies behind them, from raw rows.

The rules are those of dbt/DECISIONS.md, written down a second time: what either system names outright, then the
mailbox; a company by what billing names, then by the person's contact, then by its domain.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.oracle.raw import Row, Table

#: Where the simulated world's people without a domain of their own have their mailbox.
FREE_MAIL = {"post.example"}
_CONFIDENCE = {
    "metadata": "certain",
    "merged_contact": "certain",
    "crm_property": "certain",
    "email": "high",
    "additional_email": "medium",
    "stripe_only": "none",
    "no_email": "none",
}
_WEAKEST_FIRST = ("none", "medium", "high", "certain")


def mailbox(email: str | None) -> str | None:
    """The spelling of an address that identity works with, None if it is no address."""
    text = "".join(c for c in email or "" if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    text = unicodedata.normalize("NFC", text).strip().lower()
    text = text.rpartition("<")[2].partition(">")[0].strip() if "<" in text else text
    text = text.removeprefix("mailto:").strip().partition("?")[0]
    local, at, domain = text.partition("@")
    if not at or not domain or "@" in domain or any(c.isspace() for c in text):
        return None
    local = local.partition("+")[0]
    return f"{local}@{domain}" if local else None


def host(address: str | None) -> str | None:
    """The domain of a web address."""
    text = (address or "").strip().lower()
    text = text.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    name = text.split("/")[0].split(":")[0]
    return name if "." in name else None


def person_key(client: str, kind: str, value: str) -> str:
    return hashlib.sha256(f"{client}|{kind}|{value}".encode()).hexdigest()


@dataclass
class Person:
    key: str
    email: str | None
    customers: dict[str, str] = field(default_factory=dict)
    """Billing customer -> why it is this person."""
    contacts: dict[str, str] = field(default_factory=dict)
    """Contact, or id that was merged away -> why it is this person."""
    contact: Row | None = None
    """The one that speaks for the person."""

    @property
    def match(self) -> str:
        if not self.customers:
            return "crm_only"
        if self.contact is not None:
            return "matched"
        return "stripe_only" if self.email else "no_email"

    @property
    def confidence(self) -> str:
        found = {_CONFIDENCE[reason] for reason in self.customers.values()} or {"none"}
        return next(level for level in _WEAKEST_FIRST if level in found)


class _Mailboxes:
    """Which contact each mailbox belongs to: a primary address beats an additional one, then the older contact wins."""

    def __init__(self, contacts: Iterable[Row]) -> None:
        self._claims: dict[str, list[tuple[tuple[Any, ...], Row]]] = defaultdict(list)
        for contact in contacts:
            primary = mailbox(contact["email"])
            for address in _mailboxes(contact):
                rank = (address != primary, contact["created_at"], int(contact["id"]))
                self._claims[address].append((rank, contact))

    def owner(self, address: str) -> Row | None:
        claims = self._claims.get(address)
        return min(claims, key=lambda claim: claim[0])[1] if claims else None

    def person(self, address: str) -> str:
        """The address that names the person behind `address`."""
        owner = self.owner(address)
        return (mailbox(owner["email"]) if owner else None) or address

    def reason(self, address: str) -> str:
        owner = self.owner(address)
        if owner is None:
            return "stripe_only"
        return "email" if mailbox(owner["email"]) == address else "additional_email"

    def addresses(self) -> Iterable[str]:
        return self._claims


def _mailboxes(contact: Row) -> set[str]:
    texts = [contact["email"], *(contact["additional_emails"] or "").split(";")]
    return {address for address in map(mailbox, texts) if address}


def _living(table: Table) -> dict[str, Row]:
    return {row["id"]: row for row in table.values() if not row["_deleted"] and not row["archived"]}


class _Register:
    """Enters contacts and customers as persons."""

    def __init__(self, client: str, contacts: Mapping[str, Row]) -> None:
        self._client = client
        self._contacts = contacts
        self._mailboxes = _Mailboxes(contacts.values())
        self.people: dict[str, Person] = {}
        for contact in contacts.values():
            person, reason = self.of_contact(contact)
            person.contacts[contact["id"]] = reason
            if person.email is None:
                person.contact = contact
        for address in self._mailboxes.addresses():
            if self._mailboxes.person(address) == address:
                self._person("email", address, address).contact = self._mailboxes.owner(address)

    def _person(self, kind: str, value: str, email: str | None) -> Person:
        key = person_key(self._client, kind, value)
        return self.people.setdefault(key, Person(key, email))

    def of_contact(self, contact: Row) -> tuple[Person, str]:
        primary = mailbox(contact["email"])
        addresses = sorted(_mailboxes(contact))
        if not addresses:
            return self._person("hubspot", contact["id"], None), "no_email"
        name = self._mailboxes.person(primary or addresses[0])
        return self._person("email", name, name), "email" if primary else "additional_email"

    def of_customer(self, customer: str, address: str | None, link: tuple[str, str] | None) -> tuple[Person, str]:
        if link is not None:
            return self.of_contact(self._contacts[link[0]])[0], link[1]
        if address is None:
            return self._person("stripe", customer, None), "no_email"
        name = self._mailboxes.person(address)
        return self._person("email", name, name), self._mailboxes.reason(address)


def people(raw: Mapping[str, Table], client: str, as_of: datetime) -> dict[str, Person]:
    """Every person that is there at that moment by key."""
    contacts = {id_: row for id_, row in _living(raw["hubspot_contacts"]).items() if row["created_at"] < as_of}
    merged = _merged(raw["hubspot_contact_merges"], "contact_id", contacts)
    links = _links(raw, contacts, merged)
    register = _Register(client, contacts)
    for lost, kept in merged.items():
        register.of_contact(contacts[kept])[0].contacts[lost] = "merged_contact"
    for customer, address in _customer_addresses(raw, as_of).items():
        person, reason = register.of_customer(customer, address, links.get(customer))
        person.customers[customer] = reason
    return register.people


def _merged(table: Table, key: str, living: Mapping[str, Row]) -> dict[str, str]:
    """Id that was merged away -> id of what is left."""
    return {
        row["merged_id"]: row[key]
        for row in table.values()
        if not row["_deleted"] and row[key] in living and row["merged_id"] not in living
    }


def _written(row: Row, name: str) -> str | None:
    """An id in a customer's metadata."""
    return ((row["metadata"] or {}).get(name) or "").strip() or None


def _links(
    raw: Mapping[str, Table], contacts: Mapping[str, Row], merged: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Customer -> contact that either side names, and which side."""
    links: dict[str, tuple[str, str]] = {}
    oldest_last = sorted(contacts.values(), key=lambda row: (row["created_at"], int(row["id"])), reverse=True)
    for contact in oldest_last:
        if contact["stripe_customer_id"]:
            links[contact["stripe_customer_id"].strip()] = (contact["id"], "crm_property")
    for row in raw["stripe_customers"].values():
        named = _written(row, "hubspot_contact_id")
        if named and named in contacts:
            links[row["id"]] = (named, "metadata")
        elif named and named in merged:
            links[row["id"]] = (merged[named], "merged_contact")
    return links


def _customer_addresses(raw: Mapping[str, Table], as_of: datetime) -> dict[str, str | None]:
    """Every customer that billing knows at that moment -> its mailbox. Those that were deleted before the first load
    have no row of their own, only invoices with the address of the time."""
    addresses = {row["id"]: mailbox(row["email"]) for row in raw["stripe_customers"].values() if row["created"] < as_of}
    printed: dict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
    for row in raw["stripe_invoices"].values():
        if row["customer_id"] and row["customer_id"] not in addresses and row["created"] < as_of:
            printed[row["customer_id"]] += [(row["created"], row["id"], row["customer_email"])] * bool(
                row["customer_email"]
            )
    for table in ("stripe_subscriptions", "stripe_charges"):
        for row in raw[table].values():
            if row["customer_id"] and row["customer_id"] not in addresses and row["created"] < as_of:
                printed[row["customer_id"]] += []
    return addresses | {id_: mailbox(max(found)[2]) if found else None for id_, found in printed.items()}


def person_of(raw: Mapping[str, Table], as_of: datetime, client: str = "acme") -> dict[str, str]:
    """Billing customer -> key of the person that it is."""
    return {customer: person.key for person in people(raw, client, as_of).values() for customer in person.customers}


def expected_people(raw: Mapping[str, Table], as_of: datetime, client: str = "acme") -> Counter[str]:
    """How many persons are matched, known to one side only, or without an address."""
    return Counter(person.match for person in people(raw, client, as_of).values())


def expected_records(raw: Mapping[str, Table], as_of: datetime, client: str) -> list[Row]:
    """The rows of mart.person_records."""
    rows: list[Row] = []
    created = {row["id"]: row["created"] for row in raw["stripe_customers"].values()}
    for person in people(raw, client, as_of).values():
        size = len(person.customers) + len(person.contacts)
        never = datetime.max.replace(tzinfo=next(iter(created.values())).tzinfo)
        oldest = min(person.customers, key=lambda id_: (created.get(id_, never), id_), default=None)
        speaks = person.contact["id"] if person.contact else None
        for source, records in (("stripe", person.customers), ("hubspot", person.contacts)):
            for id_, reason in records.items():
                rows.append(
                    {
                        "source": source,
                        "record_id": id_,
                        "person_key": person.key,
                        "match_reason": reason,
                        "match_confidence": _CONFIDENCE[reason],
                        "is_survivor": id_ == (speaks or oldest),
                        "records_of_person": size,
                    }
                )
    return rows


def expected_companies(raw: Mapping[str, Table], as_of: datetime, client: str) -> list[Row]:
    """The rows of staging.int_customer_companies."""
    living = {
        row["id"]: row for row in raw["hubspot_companies"].values() if not row["_deleted"] and not row["archived"]
    }
    merged = _merged(raw["hubspot_company_merges"], "company_id", living)
    spoken = {c: p.contact["id"] for p in people(raw, client, as_of).values() if p.contact for c in p.customers}
    named = {row["id"]: _written(row, "hubspot_company_id") for row in raw["stripe_customers"].values()}

    def claims(customer: str, address: str | None) -> Iterable[tuple[str, str, list[str]]]:
        company = named.get(customer)
        yield "metadata", "certain", [merged.get(company, company)] if company else []
        edges = [
            (merged.get(row["company_id"], row["company_id"]), row["association_types"])
            for row in raw["hubspot_contact_companies"].values()
            if row["contact_id"] == spoken.get(customer) and not row["_deleted"]
        ]
        own = ("HUBSPOT_DEFINED", 1)
        first = {
            id_ for id_, kinds in edges if id_ in living and any((k["category"], k["typeId"]) == own for k in kinds)
        }
        yield "contact", "high", sorted(id_ for id_ in first or {id_ for id_, _ in edges} if id_)
        domain = address.partition("@")[2] if address else None
        same = [id_ for id_, row in living.items() if domain and host(row["domain"]) == domain]
        yield "domain", "low", same if domain not in FREE_MAIL else []

    rows: list[Row] = []
    for customer, address in _customer_addresses(raw, as_of).items():
        for reason, confidence, candidates in claims(customer, address):
            there = [id_ for id_ in candidates if id_ in living]
            if there:
                company = min(there, key=lambda id_: (living[id_]["created_at"], int(id_)))
                row = {"customer_id": customer, "company_id": company, "companies_claiming": len(there)}
                rows.append(row | {"match_reason": reason, "match_confidence": confidence})
                break
    return rows
