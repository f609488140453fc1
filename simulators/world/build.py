"""Puts a world together: `build(seed, customers)` returns everything that ever happens in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from simulators.world.account import Account
from simulators.world.accounts import Accounts
from simulators.world.agenda import Agenda
from simulators.world.billing import Billing
from simulators.world.busy_days import BusyDays
from simulators.world.catalog import Catalog
from simulators.world.crm import Crm
from simulators.world.crm_links import LINKS_BY_NAME
from simulators.world.crm_properties import PROPERTIES, Property
from simulators.world.crm_service import Service
from simulators.world.crm_stories import Sales
from simulators.world.crm_types import KINDS
from simulators.world.ids import Ids
from simulators.world.look_alikes import LookAlikes
from simulators.world.moments import END, instant
from simulators.world.resources import RESOURCES
from simulators.world.showcase import Showcase
from simulators.world.store import Collection, Store, all_stays, ascending_id, newest_first
from simulators.world.stories import Stories

#: Those with a list of their own.
STRIPE_COLLECTIONS = tuple(name for name, resource in RESOURCES.items() if resource.served)
#: `pipelines` are those of deals.
HUBSPOT_COLLECTIONS = (*KINDS, "owners", "pipelines", "ticket_pipelines")
LINK_COLLECTIONS = tuple(LINKS_BY_NAME)


def _first_properties() -> dict[str, dict[str, Property]]:
    return {str(kind): dict(known) for kind, known in PROPERTIES.items()}


@dataclass(slots=True)
class World:
    seed: int
    customers: int
    ids: Ids
    store: Store
    account: Account = field(default_factory=Account)
    properties: dict[str, dict[str, Property]] = field(default_factory=_first_properties)
    """HubSpot's properties by object type; the portal may get more of them."""

    def add_collection(self, name: str) -> None:
        """Makes room for a further collection of Stripe's, empty at first."""
        self.store.collections.setdefault(name, Collection(name, newest_first, self.account.stamps()))


def empty_store(account: Account) -> Store:
    stripe = [Collection(name, newest_first, account.stamps()) for name in RESOURCES]
    return Store([*stripe, *(Collection(name, ascending_id) for name in (*HUBSPOT_COLLECTIONS, *LINK_COLLECTIONS))])


def build(seed: int = 42, customers: int = 300, account: Account | None = None) -> World:
    """Generates the world of `customers` accounts. Equal arguments give equal worlds, in any process.

    Raises ValueError when `customers` isn't positive.
    """
    if customers < 1:
        raise ValueError(f"a world needs at least one customer, not {customers}")
    with all_stays():
        return _build(Ids(seed), seed, customers, account or Account())


def _build(ids: Ids, seed: int, customers: int, account: Account) -> World:
    store = empty_store(account)
    agenda = Agenda(END)
    catalog = Catalog(store, ids)
    catalog.open()
    for at, what in catalog.later():
        agenda.plan(at, partial(_change_catalog, catalog, what))
    drawn = Accounts(ids, customers)
    accounts = drawn.draw()
    billing = Billing(store, agenda, ids)
    crm = Crm(store, ids)
    sales = Sales(store, agenda, ids, crm, drawn, accounts)
    Stories(store, agenda, ids, catalog, billing, accounts, sales.contact_of).begin()
    sales.begin()
    Service(store, agenda, ids, crm, accounts).begin()
    billing.on_status.append(sales.follow)
    agenda.plan(instant(2025, 11, 3, 13), sales.mark_churned)
    Showcase(agenda, ids, catalog, billing).begin()
    LookAlikes(agenda, ids, catalog, billing, crm).begin()
    BusyDays(agenda, ids, billing, crm, sales, accounts).begin()
    agenda.run()
    return World(seed, customers, ids, store, account)


def _change_catalog(catalog: Catalog, what: str, at: int) -> None:
    catalog.apply(at, what)
