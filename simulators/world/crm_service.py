"""The support team's part of HubSpot: tickets, and the workspaces (a custom object) that the product reports."""

from __future__ import annotations

from functools import partial
from random import Random

from simulators.world.accounts import Account
from simulators.world.agenda import Agenda
from simulators.world.crm import Crm
from simulators.world.crm_pipelines import TICKET_STAGES, ticket_pipeline_object
from simulators.world.crm_shapes import Entity
from simulators.world.ids import Ids
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, START, date_of, iso
from simulators.world.store import Store

#: Contacts who wrote about one outage: more than an answer about one record's associations holds.
_OUTAGE_SIZE = 160
_SUBJECTS = ("Cannot sign in", "Invoice is wrong", "Export fails", "Which plan is right for us?", "Zugang gelöscht 🙈")


class Service:
    """Plans what happens to tickets and workspaces."""

    def __init__(self, store: Store, agenda: Agenda, ids: Ids, crm: Crm, accounts: list[Account]) -> None:
        self._store = store
        self._agenda = agenda
        self._ids = ids
        self._crm = crm
        self._accounts = accounts
        self._tickets: list[Entity] = []
        self._workspaces: list[Entity] = []

    def begin(self) -> None:
        pipelines = self._store["ticket_pipelines"]
        pipelines.create("0", START, ticket_pipeline_object("0", "Support Pipeline", 0, START))
        since = START + 120 * DAY
        pipelines.create("61102377", since, ticket_pipeline_object("61102377", "Outages", 1, since))
        for number in range(max(6, len(self._accounts) // 2)):
            random = self._ids.random("ticket", number)
            self._agenda.plan(START + 5 * DAY + random.randrange(END - START - 6 * DAY), partial(self._report, random))
        for account in self._accounts[::3]:
            random = self._ids.random("workspace", account.index)
            self._agenda.plan(account.signs_up + random.randrange(DAY), partial(self._open_workspace, account, random))
        for day in BUSY_DAYS:
            random = self._ids.random("busy service", day)
            self._agenda.plan(day + 9 * HOUR + 15 * MINUTE, partial(self._report, random))
            self._agenda.plan(day + 11 * HOUR + 41 * MINUTE + 77, partial(self._busy_day, random))
        self._agenda.plan(BUSY_DAYS[0] + 21 * HOUR, self._outage)

    # -- tickets -------------------------------------------------------------------------------

    def _report(self, random: Random, at: int) -> None:
        contact = self._somebody(random)
        ticket = self._add_ticket(random, at, random.choice(_SUBJECTS), "0")
        if contact:
            self._crm.link(ticket, contact, at)
        self._agenda.plan(at + random.randrange(10 * MINUTE, 3 * DAY), partial(self._work_on, ticket, random))

    def _add_ticket(self, random: Random, at: int, subject: str, pipeline: str) -> Entity:
        properties = {
            "subject": subject,
            "hs_pipeline": pipeline,
            "hs_pipeline_stage": TICKET_STAGES[pipeline][0][0],
            "hs_ticket_priority": random.choice(("LOW", "MEDIUM", "HIGH", "URGENT")),
            "source_type": random.choice(("CHAT", "EMAIL", "FORM")),
        }
        if random.random() < 0.7:
            properties["content"] = f'{subject}.\n\nSent from my phone; "quoted", with\ttabs.'
        if random.random() < 0.5:
            properties["hs_ticket_category"] = random.choice(("PRODUCT_ISSUE", "BILLING_ISSUE;FEATURE_REQUEST"))
        ticket = self._crm.add("tickets", at, properties)
        self._tickets.append(ticket)
        return ticket

    def _somebody(self, random: Random) -> Entity | None:
        known = self._crm.contacts
        drawn = (random.choice(known) for _ in range(5 if known else 0))
        return next((contact for contact in drawn if not contact.gone), None)

    def _work_on(self, ticket: Entity, random: Random, at: int) -> None:
        stages = [stage for stage, _, _ in TICKET_STAGES[ticket.properties["hs_pipeline"]]]
        here = stages.index(ticket.properties["hs_pipeline_stage"])
        if ticket.gone or here == len(stages) - 1:
            return
        # Now and then it goes back and forth between the two sides.
        there = here - 1 if here == 2 and random.random() < 0.3 else here + 1
        closed = {"closed_date": iso(at), "time_to_close": str(at - ticket.created)} if there == len(stages) - 1 else {}
        self._crm.update(ticket, at, hs_pipeline_stage=stages[there], **closed)
        self._agenda.plan(at + random.randrange(HOUR, 6 * DAY), partial(self._work_on, ticket, random))

    def _outage(self, at: int) -> None:
        random = self._ids.random("outage")
        ticket = self._add_ticket(random, at, "Outage of the reporting service", "61102377")
        there = [contact for contact in self._crm.contacts if not contact.gone]
        for contact in random.sample(there, min(_OUTAGE_SIZE, len(there))):
            self._crm.link(ticket, contact, at)

    # -- workspaces ----------------------------------------------------------------------------

    def _open_workspace(self, account: Account, random: Random, at: int) -> None:
        name = account.company.name if account.company else f"{account.person.first}'s workspace"
        properties = {
            "workspace_name": name,
            "slug": f"ws-{len(self._workspaces)}",
            "plan": random.choice(("free", "team", "business")),
            "active": "true",
            "opened_on": date_of(at),
        }
        if random.random() < 0.8:
            properties["seats"] = str(random.randint(1, 60))
        workspace = self._crm.add("workspaces", at, properties)
        self._workspaces.append(workspace)
        self._agenda.plan(at + random.randrange(DAY, 90 * DAY), partial(self._resize, workspace, random))

    def _resize(self, workspace: Entity, random: Random, at: int) -> None:
        if random.random() < 0.12:
            self._crm.archive(workspace, at)
            return
        self._crm.update(workspace, at, seats=str(random.randint(1, 60)))
        self._agenda.plan(at + random.randrange(20 * DAY, 120 * DAY), partial(self._resize, workspace, random))

    # -- busy days -----------------------------------------------------------------------------

    def _busy_day(self, random: Random, at: int) -> None:
        """Something changes, one ticket is merged into another and one is archived; a workspace opens and one grows."""
        old = [ticket for ticket in self._tickets if not ticket.gone and ticket.created < at - DAY]
        # The outage keeps its many contacts.
        old = [ticket for ticket in old if ticket.properties["hs_pipeline"] == "0"]
        if old:
            self._crm.update(random.choice(old), at, hs_ticket_priority="HIGH", source_type="PHONE")
        if len(old) > 6:
            first, second, third = random.sample(old, 3)
            merged = self._crm.merge(first, second, at, keep_id=random.random() < 0.5)
            if merged is not first:
                self._tickets.append(merged)
            self._crm.archive(third, at)
        self._open_workspace(random.choice(self._accounts), random, at)
        there = [space for space in self._workspaces if not space.gone and space.created < at - DAY]
        if there:
            self._crm.update(random.choice(there), at, seats=str(random.randint(61, 90)))
