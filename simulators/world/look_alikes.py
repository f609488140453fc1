"""People and companies whom billing and CRM know by different names, in every world whatever its size.

Each case is one that matching by address alone gets wrong, or must leave alone. They use no random generator of the
others, and the office's routine passes their records by, so the rest of the world is the same without them.
"""

from __future__ import annotations

from functools import partial

from simulators.world.agenda import Agenda
from simulators.world.billing import Billing
from simulators.world.catalog import PLANS, Catalog
from simulators.world.crm import Crm
from simulators.world.crm_shapes import Entity
from simulators.world.crm_types import Kind
from simulators.world.ids import Ids
from simulators.world.ledger import COMPANY_LINK, CONTACT_LINK, Customer, Subscription
from simulators.world.moments import BUSY_DAYS, DAY, HOUR, MINUTE
from simulators.world.showcase import showcase_customer

#: Where people without a domain of their own have their mailbox.
_FREE_MAIL = "post.example"
#: Between the ids that the world counts up and the one that no JavaScript number holds.
_FIRST_ID = 8_100_000_000
_BEGIN = BUSY_DAYS[0] - 75 * DAY


class LookAlikes:
    def __init__(self, agenda: Agenda, ids: Ids, catalog: Catalog, billing: Billing, crm: Crm) -> None:
        self._agenda = agenda
        self._ids = ids
        self._catalog = catalog
        self._billing = billing
        self._crm = crm
        self._records = 0

    def begin(self) -> None:
        cases = (
            self._share_a_bookkeeper,
            self._merge_a_linked_contact,
            self._link_to_nobody,
            self._link_to_what_is_thrown_away,
            self._name_the_customer_in_the_crm,
            self._disagree,
            self._write_from_the_company,
            self._write_from_a_free_mailbox,
            self._leave_unnoticed,
            self._pay_as_a_guest_company,
        )
        for number, case in enumerate(cases):
            self._agenda.plan(_BEGIN + number * HOUR, case)

    # -- cases ---------------------------------------------------------------------------------

    def _share_a_bookkeeper(self, at: int) -> None:
        """Two clients of one bookkeeper: the same address in billing, but each is linked to a contact of its own."""
        for name in ("orchard", "brewery"):
            contact = self._contact(f"owner@{name}.example", at)
            self._subscribe(name, at, email="office@bookkeepers.example", links={CONTACT_LINK: contact.id})
        # The bookkeeper's own subscription is linked to nobody: nobody can say which of the two it is.
        self._subscribe("bookkeepers", at, email="office@bookkeepers.example")

    def _merge_a_linked_contact(self, at: int) -> None:
        """The contact that billing names is merged away; its former address is what another customer uses."""
        linked, kept = self._contact("maiden.name@harvest.example", at), self._contact("new.name@harvest.example", at)
        self._subscribe("harvest-one", at, email="accounts@harvest.example", links={CONTACT_LINK: linked.id})
        self._subscribe("harvest-two", at, email="Maiden.Name+stripe@harvest.example")
        self._agenda.plan(at + 20 * DAY, lambda now: self._merge(kept, linked, now))

    def _merge(self, kept: Entity, lost: Entity, at: int) -> None:
        self._crm.merge(kept, lost, at, keep_id=True)

    def _link_to_nobody(self, at: int) -> None:
        """A link that leads nowhere, from another portal perhaps: the address decides."""
        self._contact("lost@lighthouse.example", at)
        self._subscribe("lighthouse", at, email="LOST@Lighthouse.example", links={CONTACT_LINK: f"{_FIRST_ID - 1}"})
        self._subscribe("windmill", at, email=None, links={CONTACT_LINK: " "})

    def _link_to_what_is_thrown_away(self, at: int) -> None:
        contact = self._contact("left@quarry.example", at)
        self._subscribe("quarry", at, email="left@quarry.example", links={CONTACT_LINK: contact.id})
        self._agenda.plan(at + 30 * DAY, partial(self._crm.archive, contact))

    def _name_the_customer_in_the_crm(self, at: int) -> None:
        """The link is in HubSpot, and billing has no address at all."""
        customer = self._subscribe("foundry", at, email=None)
        self._contact("boss@foundry.example", at, stripe_customer_id=customer.id)

    def _disagree(self, at: int) -> None:
        """Billing names one contact, another contact claims the customer, and the address is a third one's."""
        linked = self._contact("linked@crossing.example", at)
        self._contact("address@crossing.example", at)
        customer = self._subscribe(
            "crossing", at, email="address@crossing.example", links={CONTACT_LINK: f" {linked.id} "}
        )
        self._contact("claims@crossing.example", at, stripe_customer_id=customer.id)

    def _write_from_the_company(self, at: int) -> None:
        """No contact has the address, but two companies have its domain: the older one counts."""
        for hours, domain in ((0, "https://www.Cannery.example/about"), (1, "cannery.example")):
            self._record("companies", at + hours * HOUR, {"name": "Cannery", "domain": domain})
        self._subscribe("cannery", at, email="invoices@cannery.example")

    def _write_from_a_free_mailbox(self, at: int) -> None:
        """Somebody has typed the provider of free mailboxes into a company: it has not written from there."""
        self._record("companies", at, {"name": "Sole trader", "domain": _FREE_MAIL})
        self._subscribe("sole-trader", at, email=f"sole.trader@{_FREE_MAIL}")

    def _leave_unnoticed(self, at: int) -> None:
        """The subscription ends, but nobody tells the CRM, where the customer is still called active."""
        contact = self._contact("gone@ferry.example", at, customer_status="active", lifecyclestage="customer")
        firm = self._record("companies", at, {"name": "Ferry", "domain": "ferry-lines.example"})
        self._crm.link(contact, firm, at)
        customer = self._customer("ferry", at, "gone@ferry.example", {CONTACT_LINK: contact.id})
        subscription = self._begin(customer, at)
        self._agenda.plan(at + 40 * DAY, lambda now: self._cancel(subscription, now))

    def _cancel(self, subscription: Subscription, at: int) -> None:
        self._billing.subscriptions.cancel(subscription, at, "cancellation_requested")

    def _pay_as_a_guest_company(self, at: int) -> None:
        """Billing names the company, and no person."""
        firm = self._record("companies", at, {"name": "Tannery", "domain": "tannery.example"})
        self._subscribe("tannery", at, email=None, links={COMPANY_LINK: firm.id})

    # -- records -------------------------------------------------------------------------------

    def _record(self, kind: Kind, at: int, properties: dict[str, str]) -> Entity:
        self._records += 1
        return self._crm.add(kind, at, properties, id=f"{_FIRST_ID + 7 * self._records}", apart=True)

    def _contact(self, email: str, at: int, **properties: str) -> Entity:
        plain = {"email": email, "lifecyclestage": "lead", "hs_lead_status": "NEW", "customer_status": "prospect"}
        return self._record("contacts", at, {**plain, **properties})

    def _customer(self, name: str, at: int, email: str | None, links: dict[str, str]) -> Customer:
        customer = showcase_customer(self._ids, name, at, "usd", email=email, metadata=links)
        self._billing.customers.add(customer, at)
        return customer

    def _begin(self, customer: Customer, at: int) -> Subscription:
        price = self._catalog.price(PLANS[1][0], "usd", "month")
        return self._billing.subscribe(customer, at + MINUTE, [(price, 1)], steady=True)

    def _subscribe(self, name: str, at: int, *, email: str | None, links: dict[str, str] | None = None) -> Customer:
        customer = self._customer(name, at, email, links or {})
        self._begin(customer, at)
        return customer
