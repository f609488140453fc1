"""Plays sales in HubSpot: leads, deals, lifecycle stages, and a status that follows Stripe with a delay."""

from __future__ import annotations

from functools import partial
from random import Random

from simulators.world.accounts import Account, Accounts
from simulators.world.agenda import Agenda
from simulators.world.catalog import PLANS
from simulators.world.crm import HUGE_ID, Crm
from simulators.world.crm_pipelines import STAGES, pipeline_object
from simulators.world.crm_properties import LIFECYCLE
from simulators.world.crm_shapes import Entity, owner_object
from simulators.world.crm_types import SALES_KINDS
from simulators.world.ids import Ids
from simulators.world.ledger import Subscription
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, START, date_of, instant, iso
from simulators.world.people import Organisation, Person, Place, organisation, person, place
from simulators.world.store import Store

_OWNERS = (
    ("Marta", "Lund", START, None),
    ("Dev", "Patel", START, None),
    ("Iris", "Boone", START + 30 * DAY, instant(2025, 5, 12, 9, 30)),
    ("Tomas", "Reyes", START + 60 * DAY, None),
    ("Noa", "Berg", START + 200 * DAY, BUSY_DAYS[2] + 14 * HOUR),
    ("Ruth", "Adeyemi", BUSY_DAYS[1] + 10 * HOUR, None),
)
_FIRST_OWNER_ID = 910901
#: Contacts at one trade fair: more than an answer about one deal's associations holds.
_FAIR_SIZE = 104


class Sales:
    """Fills HubSpot, mostly in agreement with Stripe."""

    def __init__(
        self, store: Store, agenda: Agenda, ids: Ids, crm: Crm, accounts: Accounts, all: list[Account]
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._ids = ids
        self._crm = crm
        self._accounts = accounts
        self._all = all
        self._contacts: dict[int, Entity] = {}
        """Account index -> its main contact; a merge puts the new record here."""
        self._companies: dict[int, Entity] = {}
        self._deals: dict[int, Entity] = {}
        self._leads: list[Entity] = []
        """Contacts, companies and deals of people who never became customers."""
        self._misjudged: set[int] = set()
        """Accounts whose status somebody has set by hand: the integration no longer corrects it."""
        self._random = ids.random("sales")

    def begin(self) -> None:
        self._open_office()
        for account in self._all:
            if account.in_crm:
                self._plan_account(account)
        count = len(self._all)
        for number in range(max(4, count * 2 // 5)):
            random = self._ids.random("lead", number)
            at = START + DAY + random.randrange(END - START - 2 * DAY)
            self._agenda.plan(at, partial(self._meet_lead, number, random))
        for number, day in enumerate(BUSY_DAYS):
            random = self._ids.random("busy lead", number)
            at = day + random.randrange(8 * HOUR, 18 * HOUR)
            self._agenda.plan(at, partial(self._meet_lead, 10_000 + number, random))
        if count >= 100:
            self._agenda.plan(instant(2025, 9, 16, 9), self._attend_fair)

    def contact_of(self, account: Account) -> str | None:
        """Id of the account's contact, if sales knows it already."""
        contact = self._contacts.get(account.index)
        return contact.id if contact and not contact.gone else None

    # -- people and pipelines ------------------------------------------------------------------

    def _open_office(self) -> None:
        for position, (first, last, since, until) in enumerate(_OWNERS):
            id = _FIRST_OWNER_ID + position
            self._store["owners"].create(str(id), since, owner_object(id, first, last, since, since, False))
            if until is not None:
                shape = owner_object(id, first, last, since, until, True)
                self._store["owners"].remove(str(id), until, "archived", shape)
        married = instant(2025, 8, 4, 11)
        shape = owner_object(_FIRST_OWNER_ID, "Marta", "Lund-Vik", START, married, False)
        self._store["owners"].change(str(_FIRST_OWNER_ID), married, shape)
        pipelines = self._store["pipelines"]
        pipelines.create("default", START, pipeline_object("default", "Sales Pipeline", 0, START, {}))
        since = START + 90 * DAY
        pipelines.create("38211904", since, pipeline_object("38211904", "Renewals", 1, since, {}))
        renamed = {"qualifiedtobuy": "Qualified"}
        for at in (instant(2025, 4, 2, 10), BUSY_DAYS[2] + 10 * HOUR):
            pipelines.change("default", at, pipeline_object("default", "Sales Pipeline", 0, at, dict(renamed)))
            renamed["contractsent"] = "Contract out"

    def _owner(self, random: Random, at: int) -> str:
        there = [n for n, (_, _, since, until) in enumerate(_OWNERS) if since <= at and (until is None or at < until)]
        return str(_FIRST_OWNER_ID + random.choice(there))

    # -- accounts ------------------------------------------------------------------------------

    def _plan_account(self, account: Account) -> None:
        random = self._ids.random("crm account", account.index)
        if random.random() < 0.6:
            lead = max(START + HOUR, account.signs_up - random.randrange(DAY, 45 * DAY))
            self._agenda.plan(lead, partial(self._find_account, account, random))
        else:
            self._agenda.plan(account.signs_up + random.randrange(MINUTE, HOUR), partial(self._import, account, random))
        for at, act in ((account.merge_at, self._merge_account), (account.archive_at, self._archive_account)):
            if at is not None and at > account.signs_up + 2 * DAY:
                self._agenda.plan(at, partial(act, account, random))

    def _add_people(self, account: Account, random: Random, at: int, stage: str) -> Entity:
        who, company = account.person, account.company
        email = who.email.title() if random.random() < 0.05 else who.email
        properties = self._contact_properties(who, email, company, stage, self._owner(random, at))
        contact = self._contacts[account.index] = self._crm.add("contacts", at, properties)
        if company and random.random() < 0.9:
            firm = self._companies[account.index] = self._add_company(company, account.place, random, at, stage)
            self._crm.link(contact, firm, at)
        return contact

    def _find_account(self, account: Account, random: Random, at: int) -> None:
        """Sales finds the account before it signs up: a lead, then a deal that moves through the stages."""
        contact = self._add_people(account, random, at, "lead")
        left = account.signs_up - at
        steps = sorted(at + random.randrange(max(MINUTE, left)) for _ in range(4))
        for when, stage, status in zip(steps, LIFECYCLE[2:], ("OPEN", "CONNECTED", "OPEN_DEAL"), strict=False):
            self._agenda.plan(when, partial(self._advance, account, stage, status))
        self._agenda.plan(steps[2], partial(self._open_deal, account, random, "newbusiness"))
        if random.random() < 0.3 and account.company:
            self._agenda.plan(steps[3], partial(self._add_colleague, account, contact, random))

    def _import(self, account: Account, random: Random, at: int) -> None:
        """Self-service: the integration makes the contact after the sign-up."""
        self._add_people(account, random, at, "lead")
        self._sync(account, at)

    def _advance(self, account: Account, stage: str, status: str, at: int) -> None:
        contact = self._contacts[account.index]
        now = contact.properties.get("lifecyclestage", LIFECYCLE[0])
        # A lifecycle stage only moves forward.
        if LIFECYCLE.index(stage) > LIFECYCLE.index(now):
            self._crm.update(contact, at, lifecyclestage=stage, hs_lead_status=status)

    def _open_deal(self, account: Account, random: Random, kind: str, at: int) -> None:
        contact = self._contacts[account.index]
        name = account.company.name if account.company else f"{account.person.first} {account.person.last}"
        deal = self._deals[account.index] = self._add_deal(name, account.currency, kind, random, at)
        self._crm.link(deal, contact, at, label=random.random() < 0.4)
        if account.index in self._companies:
            self._crm.link(deal, self._companies[account.index], at)
        self._agenda.plan(at + random.randrange(HOUR, 6 * DAY), partial(self._move_deal, deal, random))

    def _move_deal(self, deal: Entity, random: Random, at: int) -> None:
        stages = [stage for stage, _, _ in STAGES[deal.properties["pipeline"]]]
        here = stages.index(deal.properties["dealstage"])
        if here < len(stages) - 3:
            self._crm.update(deal, at, dealstage=stages[here + 1])
            self._agenda.plan(at + random.randrange(HOUR, 8 * DAY), partial(self._move_deal, deal, random))

    def _close_deal(self, deal: Entity, won: bool, amount: int | None, at: int) -> None:
        if deal.properties.get("hs_is_closed") == "true":
            return
        stages = STAGES[deal.properties["pipeline"]]
        stage = stages[-2 if won else -1][0]
        changes = {"amount": str(amount)} if amount is not None else {}
        self._crm.update(
            deal,
            at,
            dealstage=stage,
            closedate=iso(at),
            hs_is_closed="true",
            hs_is_closed_won=str(won).lower(),
            **changes,
        )

    def _add_colleague(self, account: Account, contact: Entity, random: Random, at: int) -> None:
        if account.company is None:
            return
        who = person(random, account.company.domain, account.place.calling, self._accounts.taken)
        properties = self._contact_properties(who, who.email, account.company, "lead", self._owner(random, at))
        colleague = self._crm.add("contacts", at, properties)
        if account.index in self._companies:
            self._crm.link(colleague, self._companies[account.index], at)
        if account.index in self._deals:
            self._crm.link(self._deals[account.index], colleague, at)

    # -- following Stripe ----------------------------------------------------------------------

    def follow(self, subscription: Subscription, at: int) -> None:
        """A subscription's status changed: the integration tells HubSpot some time later."""
        account = self._all[subscription.customer.account]
        if not account.in_crm:
            return
        lag = self._random.randrange(2 * MINUTE, 6 * HOUR)
        self._agenda.plan(at + lag, partial(self._sync, account))

    def _status_of(self, account: Account) -> str:
        statuses = {subscription.status for subscription in account.subscriptions}
        for status in ("active", "past_due", "trialing"):
            if status in statuses:
                return status
        if "unpaid" in statuses:
            return "past_due"
        return "churned" if statuses & {"canceled", "incomplete_expired"} else "prospect"

    def _sync(self, account: Account, at: int) -> None:
        contact = self._contacts.get(account.index)
        if contact is None or contact.gone or account.index in self._misjudged:
            return
        status = self._status_of(account)
        if status == contact.properties.get("customer_status"):
            return
        paying = status in ("active", "past_due")
        deal = self._deals.get(account.index)
        if paying and contact.properties.get("lifecyclestage") != "customer":
            self._crm.update(contact, at, customer_status=status, lifecyclestage="customer", hs_lead_status="")
            if account.index in self._companies:
                self._crm.update(self._companies[account.index], at, lifecyclestage="customer")
        else:
            self._crm.update(contact, at, customer_status=status)
        if deal and paying:
            self._close_deal(deal, True, self._yearly_value(account), at)
        elif deal is not None and status == "churned" and not deal.gone:
            self._close_deal(deal, False, None, at)
            random = self._ids.random("win back", account.index, at)
            self._agenda.plan(
                at + random.randrange(HOUR, 5 * DAY), partial(self._open_deal, account, random, "existingbusiness")
            )

    def _yearly_value(self, account: Account) -> int:
        """In major units, as HubSpot's deals have it."""
        item = account.subscriptions[-1].items[0]
        minor = item.price.amount(item.quantity or 1) * (12 if item.price.interval == "month" else 1)
        return minor // {"jpy": 1, "kwd": 1000}.get(item.price.currency, 100)

    def mark_churned(self, at: int) -> None:
        """Somebody marks contacts as churned although their subscriptions run on; nobody corrects it."""
        for account in self._all:
            contact = self._contacts.get(account.index)
            wrong = account.role == "churned_in_crm" or (account.role is None and account.random.random() < 0.02)
            if wrong and contact and account.active:
                self._crm.update(contact, at, customer_status="churned")
                self._misjudged.add(account.index)

    # -- duplicates and departures -------------------------------------------------------------

    def _merge_account(self, account: Account, random: Random, at: int) -> None:
        """A duplicate of the contact, made by a form the day before, is merged with it."""
        contact = self._contacts.get(account.index)
        if contact is None or contact.gone:
            return
        name, domain = account.person.email.split("@")
        second = account.person.__class__(account.person.first, account.person.last, f"{name}@mail.{domain}", None)
        properties = self._contact_properties(second, second.email, account.company, "lead", self._owner(random, at))
        duplicate = self._crm.add("contacts", at - random.randrange(HOUR, 20 * HOUR), properties)
        keep = account.role is None and random.random() < 0.3
        self._contacts[account.index] = self._crm.merge(contact, duplicate, at, keep_id=keep)

    def _archive_account(self, account: Account, random: Random, at: int) -> None:
        contact = self._contacts.get(account.index)
        if contact is None or contact.gone:
            return
        if account.role is None and at < BUSY_DAYS[0] and random.random() < 0.3:
            # Nothing but a comparison of all ids ever notices that.
            self._crm.purge(contact, at)
        else:
            self._crm.archive(contact, at)
        deal = self._deals.get(account.index)
        if deal and random.random() < 0.3:
            self._crm.archive(deal, at)

    def tidy_up(self, at: int) -> None:
        """Somebody cleans the list of leads: one record of each kind goes, and one contact loses its duplicate."""
        random = self._ids.random("tidy", at)
        for kind in SALES_KINDS:
            old = [e for e in self._leads if e.kind == kind and not e.gone and e.created < at - 2 * DAY]
            if old:
                self._crm.archive(random.choice(old), at)
        for contact in [e for e in self._leads if e.kind == "contacts" and not e.gone and e.created < at - 2 * DAY][:1]:
            properties = {**contact.properties, "email": f"info{contact.id}@mail.example"}
            duplicate = self._crm.add("contacts", at - 2 * HOUR, properties)
            self._leads[self._leads.index(contact)] = self._crm.merge(contact, duplicate, at)

    # -- leads ---------------------------------------------------------------------------------

    def _meet_lead(self, number: int, random: Random, at: int) -> None:
        """Somebody who never becomes a customer: a contact, mostly with a company, often with a deal that is lost."""
        where = place(random, random.choice(("usd", "usd", "eur", "gbp", "jpy")))
        firm = organisation(random, 20_000 + number)
        busy = number >= 10_000
        who = person(random, firm.domain, where.calling, self._accounts.taken)
        stage = random.choice(LIFECYCLE[:4])
        properties = self._contact_properties(who, who.email, firm, stage, self._owner(random, at))
        if random.random() < 0.1 and not busy:
            # From a phone list: no address at all.
            del properties["email"]
        contact = self._crm.add("contacts", at, properties, id=HUGE_ID if number == 2 else "")
        company = None
        if busy or random.random() < 0.8:
            company = self._add_company(firm, where, random, at, stage)
            self._leads.append(company)
            self._crm.link(contact, company, at)
        self._leads.append(contact)
        if busy or random.random() < 0.5:
            deal = self._add_deal(firm.name, "usd", "newbusiness", random, at + MINUTE)
            # Now and then a deal is never tied to a person.
            if busy or random.random() < 0.85:
                self._crm.link(deal, contact, at + MINUTE)
            if company:
                self._crm.link(deal, company, at + MINUTE)
            self._leads.append(deal)
            self._agenda.plan(at + random.randrange(HOUR, 9 * DAY), partial(self._move_deal, deal, random))
            self._agenda.plan(at + random.randrange(15 * DAY, 80 * DAY), partial(self._close_deal, deal, False, None))
        self._agenda.plan(at + random.randrange(DAY, 30 * DAY), partial(self._call_lead, contact, random))

    def _call_lead(self, contact: Entity, random: Random, at: int) -> None:
        draw = random.random()
        if draw < 0.06:
            self._crm.archive(contact, at)
        elif draw < 0.8:
            self._crm.update(
                contact, at, hs_lead_status=random.choice(("ATTEMPTED_TO_CONTACT", "CONNECTED", "UNQUALIFIED"))
            )

    def _attend_fair(self, at: int) -> None:
        """One deal with more than a hundred contacts, all imported in the same second."""
        random = self._ids.random("fair")
        firm = organisation(random, 30_000)
        where = place(random, "usd")
        deal = self._add_deal(f"{firm.name} fair", "usd", "newbusiness", random, at)
        for _ in range(_FAIR_SIZE):
            who = person(random, firm.domain, where.calling, self._accounts.taken)
            properties = self._contact_properties(who, who.email, firm, "subscriber", self._owner(random, at))
            self._crm.link(deal, self._crm.add("contacts", at, properties), at)

    # -- records -------------------------------------------------------------------------------

    def _contact_properties(
        self, who: Person, email: str, company: Organisation | None, stage: str, owner: str
    ) -> dict[str, str]:
        properties = {"email": email, "firstname": who.first, "lastname": who.last, "lifecyclestage": stage}
        if who.phone:
            properties["phone"] = who.phone
        if company:
            properties["company"] = company.name
        return {**properties, "hs_lead_status": "NEW", "customer_status": "prospect", "hubspot_owner_id": owner}

    def _add_company(self, firm: Organisation, where: Place, random: Random, at: int, stage: str) -> Entity:
        properties = {
            "name": firm.name,
            "domain": firm.domain,
            "industry": firm.industry,
            "country": where.country,
            "city": where.city,
            "lifecyclestage": stage,
            "hubspot_owner_id": self._owner(random, at),
        }
        if random.random() < 0.7:
            properties["numberofemployees"] = str(firm.employees)
        return self._crm.add("companies", at, properties)

    def _add_deal(self, name: str, currency: str, kind: str, random: Random, at: int) -> Entity:
        renewal = kind == "existingbusiness"
        pipeline = "38211904" if renewal and at >= START + 90 * DAY else "default"
        properties = {
            "dealname": f"{name} - {'win back' if renewal else 'new'} {date_of(at)[:7]}",
            "deal_currency_code": currency.upper(),
            "dealstage": STAGES[pipeline][0][0],
            "pipeline": pipeline,
            "dealtype": kind,
            "closedate": iso(at + 30 * DAY),
            "hubspot_owner_id": self._owner(random, at),
            "hs_is_closed": "false",
            "hs_is_closed_won": "false",
            "num_associated_contacts": "0",
        }
        if random.random() < 0.9:
            properties["amount"] = str(random.choice(PLANS)[1] * 12 * random.randint(1, 12) // 100)
        return self._crm.add("deals", at, properties)
