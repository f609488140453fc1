"""Puts a world together: `build(seed, customers)` returns everything that ever happens in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from include.simulators.world.accounts import Accounts
from include.simulators.world.agenda import Agenda
from include.simulators.world.billing import Billing
from include.simulators.world.busy_days import BusyDays
from include.simulators.world.catalog import Catalog
from include.simulators.world.crm import Crm
from include.simulators.world.crm_links import LINKS_BY_NAME
from include.simulators.world.crm_properties import PROPERTIES, Property
from include.simulators.world.crm_service import Service
from include.simulators.world.crm_stories import Sales
from include.simulators.world.ids import Ids
from include.simulators.world.moments import END, instant
from include.simulators.world.store import Collection, Store, all_stays, ascending_id, newest_first
from include.simulators.world.stories import Stories

STRIPE_COLLECTIONS = ("customers", "products", "prices", "subscriptions", "invoices")
#: Only there to be expanded, or to be shown in events.
STRIPE_SUPPORT = ("coupons", "discounts")
HUBSPOT_COLLECTIONS = (
    "contacts",
    "companies",
    "deals",
    "owners",
    "pipelines",
    "tickets",
    "ticket_pipelines",
    "workspaces",
)
LINK_COLLECTIONS = tuple(LINKS_BY_NAME)


@dataclass(slots=True)
class World:
    seed: int
    customers: int
    ids: Ids
    store: Store
    catalog: Catalog
    properties: dict[str, dict[str, Property]]
    """HubSpot's properties by object type; the portal may get more of them."""


def empty_store() -> Store:
    stripe = [Collection(name, newest_first) for name in (*STRIPE_COLLECTIONS, *STRIPE_SUPPORT)]
    return Store([*stripe, *(Collection(name, ascending_id) for name in (*HUBSPOT_COLLECTIONS, *LINK_COLLECTIONS))])


def build(seed: int = 42, customers: int = 300) -> World:
    """Generates the world of `customers` accounts. Equal arguments give equal worlds, in any process.

    Raises ValueError when `customers` isn't positive.
    """
    if customers < 1:
        raise ValueError(f"a world needs at least one customer, not {customers}")
    with all_stays():
        return _build(Ids(seed), seed, customers)


def _build(ids: Ids, seed: int, customers: int) -> World:
    store = empty_store()
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
    Stories(store, agenda, ids, catalog, billing, accounts).begin()
    sales.begin()
    Service(store, agenda, ids, crm, accounts).begin()
    billing.on_status.append(sales.follow)
    agenda.plan(instant(2025, 11, 3, 13), sales.mark_churned)
    BusyDays(agenda, ids, billing, crm, sales, accounts).begin()
    agenda.run()
    properties = {str(kind): dict(known) for kind, known in PROPERTIES.items()}
    return World(seed, customers, ids, store, catalog, properties)


def _change_catalog(catalog: Catalog, what: str, at: int) -> None:
    catalog.apply(at, what)
