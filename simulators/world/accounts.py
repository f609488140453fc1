"""Generates the customers: one account per organisation or person, with the traits that decide its story."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from simulators.world.ids import Ids
from simulators.world.ledger import Customer, Subscription
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, START, instant, whole_second
from simulators.world.people import Organisation, Person, Place, organisation, person, place

#: What the first accounts of every world are for, so that even a small world has each case. By index.
ROLES = (
    "twelve_items",
    "churned_in_crm",
    "sign_up_busy",
    "sign_up_busy",
    "sign_up_busy",
    "delete_busy",
    "delete_busy",
    "merge_busy",
    "archive_busy",
    "no_email",
    "same_email",
    "win_back",
    "credit_balance",
    "letter_case",
    "plus_address",
    "merged_old",
    "archived_old",
    "deleted_old",
    "uncollectible",
    "yen",
    "dinar",
    "sign_up_busy",
    "sign_up_busy",
    "sign_up_busy",
    "delete_busy",
)
_CURRENCY_WEIGHTS = {"usd": 62, "eur": 18, "gbp": 10, "jpy": 6, "kwd": 4}


@dataclass(slots=True)
class Account:
    """An organisation with its main contact, and everything both services know it by."""

    index: int
    role: str | None
    random: Random
    currency: str
    place: Place
    person: Person
    company: Organisation | None
    signs_up: int
    stripe_email: str | None
    in_crm: bool
    subscribes: bool
    delete_at: int | None
    merge_at: int | None
    archive_at: int | None
    customers: list[Customer] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)

    @property
    def steady(self) -> bool:
        """True if the account must stay an active subscriber to play its role."""
        return self.role in ("twelve_items", "churned_in_crm", "merge_busy", "archive_busy", "no_email")

    @property
    def active(self) -> bool:
        return any(subscription.status in ("active", "past_due") for subscription in self.subscriptions)


class Accounts:
    """Draws the accounts of a world."""

    def __init__(self, ids: Ids, count: int) -> None:
        self._ids = ids
        self._count = count
        self.taken: set[str] = set()
        self._busy = {"sign_up_busy": 0, "delete_busy": 0, "merge_busy": 0, "archive_busy": 0}

    def draw(self) -> list[Account]:
        return [self._account(index) for index in range(self._count)]

    def _account(self, index: int) -> Account:
        random = self._ids.random("account", index)
        role = ROLES[index] if index < len(ROLES) else None
        currency = random.choices(list(_CURRENCY_WEIGHTS), list(_CURRENCY_WEIGHTS.values()))[0]
        currency = {"yen": "jpy", "dinar": "kwd", "twelve_items": "usd", "churned_in_crm": "usd"}.get(
            role or "", currency
        )
        where = place(random, currency)
        company = organisation(random, index) if role or random.random() < 0.85 else None
        who = person(random, company.domain if company else "post.example", where.calling, self.taken)
        delete_at, merge_at, archive_at = self._departures(random, role)
        return Account(
            index=index,
            role=role,
            random=random,
            currency=currency,
            place=where,
            person=who,
            company=company,
            signs_up=self._sign_up(random, role),
            stripe_email=self._stripe_email(random, role, who),
            in_crm=role is not None or random.random() < 0.95,
            subscribes=role is not None or random.random() < 0.92,
            delete_at=delete_at,
            merge_at=merge_at,
            archive_at=archive_at,
        )

    def _busy_day(self, kind: str) -> int:
        """Roles of one kind take the busy days in turn, beginning with 4 January."""
        turn = self._busy[kind]
        self._busy[kind] += 1
        return BUSY_DAYS[(turn + 1) % len(BUSY_DAYS)]

    def _sign_up(self, random: Random, role: str | None) -> int:
        if role == "sign_up_busy":
            at = self._busy_day("sign_up_busy") + random.randint(7 * 60, 20 * 60) * MINUTE
        elif role:
            # Early enough that there is a history to look at by January 2026.
            at = START + random.randint(20, 300) * DAY + random.randint(0, 86_399) * 1000
        else:
            at = START + 2 * DAY + int(random.random() ** 0.85 * (END - START - 3 * DAY))
        return whole_second(at)

    def _stripe_email(self, random: Random, role: str | None, who: Person) -> str | None:
        """The address in Stripe; HubSpot has the plain one, if not always in lower case."""
        kind = {"no_email": 0.0, "letter_case": 0.05, "plus_address": 0.2}.get(role or "")
        draw = random.random() if kind is None else kind
        if role is not None and kind is None:
            return who.email
        if draw < 0.03:
            return None
        if draw < 0.15:
            name, domain = who.email.split("@")
            return random.choice((who.email.upper(), f"{name.title()}@{domain}", f"{name}@{domain.title()}"))
        if draw < 0.21:
            name, domain = who.email.split("@")
            return f"{name}+{random.choice(('billing', 'stripe', 'invoices'))}@{domain}"
        return who.email

    def _departures(self, random: Random, role: str | None) -> tuple[int | None, int | None, int | None]:
        """Return when the Stripe customer is deleted, the contact merged, the contact archived (None: never)."""
        hour = random.randint(7, 21) * HOUR + random.randint(0, 59) * MINUTE
        old = instant(2025, 6, 1) + random.randint(0, 150) * DAY + hour
        soon = BUSY_DAYS[random.randrange(len(BUSY_DAYS))] + hour
        if role:
            return (
                self._busy_day("delete_busy") + hour
                if role == "delete_busy"
                else old
                if role == "deleted_old"
                else None,
                self._busy_day("merge_busy") + hour if role == "merge_busy" else old if role == "merged_old" else None,
                self._busy_day("archive_busy") + hour
                if role == "archive_busy"
                else old
                if role == "archived_old"
                else None,
            )
        draw = random.random()
        if draw < 0.03:
            return (old if draw < 0.015 else soon), None, None
        if draw < 0.07:
            return None, (old if draw < 0.055 else soon), None
        if draw < 0.10:
            return None, None, (old if draw < 0.09 else soon)
        return None, None, None
