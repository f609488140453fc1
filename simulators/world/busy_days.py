"""Makes sure that on each busy day something older changes in every collection, however small the world is."""

from __future__ import annotations

from dataclasses import replace

from simulators.world.accounts import Account
from simulators.world.agenda import Agenda
from simulators.world.billing import Billing
from simulators.world.crm import Crm
from simulators.world.crm_stories import Sales
from simulators.world.crm_types import SALES_KINDS, Kind
from simulators.world.ids import Ids
from simulators.world.moments import BUSY_DAYS, DAY, HOUR, MINUTE, date_of


class BusyDays:
    """Small edits by the finance and sales teams, planned for fixed hours."""

    def __init__(
        self, agenda: Agenda, ids: Ids, billing: Billing, crm: Crm, sales: Sales, accounts: list[Account]
    ) -> None:
        self._agenda = agenda
        self._ids = ids
        self._billing = billing
        self._crm = crm
        self._sales = sales
        self._accounts = accounts

    def begin(self) -> None:
        for day in BUSY_DAYS:
            self._agenda.plan(day + 10 * HOUR + 20 * MINUTE, self._edit_billing)
            self._agenda.plan(day + 16 * HOUR + 45 * MINUTE + 123, self._edit_crm)
            self._agenda.plan(day + 17 * HOUR + 5 * MINUTE + 456, self._sales.tidy_up)

    def _edit_billing(self, at: int) -> None:
        random = self._ids.random("finance", at)
        old = [a for a in self._accounts if a.customers and a.signs_up < at - 2 * DAY and not a.customers[0].deleted]
        for account in random.sample(old, min(2, len(old))):
            customer = account.customers[0]
            customer.metadata = {**customer.metadata, "reviewed": date_of(at)}
            if customer.place:
                customer.place = replace(customer.place, line1=f"{random.randint(1, 180)} New St")
            self._billing.customers.save(customer, at)
            for subscription in account.subscriptions[:1]:
                if not subscription.over:
                    subscription.metadata = {**subscription.metadata, "reviewed": date_of(at)}
                    subscription.description = f"Reviewed {date_of(at)}"
                    self._billing.subscriptions.save(subscription, at)
            for invoice in self._billing.invoices.of(customer, "paid")[:1]:
                self._billing.invoices.note(invoice.id, at, "po_number", f"PO-{random.randint(1000, 9999)}")
        steady = next((a for a in self._accounts if a.steady and a.subscriptions), None)
        if steady:
            # The one account that is sure to have what the day needs.
            subscription = steady.subscriptions[0]
            subscription.metadata = {**subscription.metadata, "checked": date_of(at)}
            self._billing.subscriptions.save(subscription, at)
            paid = self._billing.invoices.of(subscription.customer, "paid")
            if paid:
                self._billing.invoices.note(paid[0].id, at, "checked", date_of(at))

    def _edit_crm(self, at: int) -> None:
        random = self._ids.random("enrichment", at)
        edits: dict[Kind, dict[str, str]] = {
            "contacts": {"phone": f"+1555{random.randint(2_000_000, 9_999_999)}"},
            "companies": {"numberofemployees": str(random.randint(2, 5_000))},
            "deals": {"closedate": "2026-03-31T00:00:00.000Z"},
        }
        for kind in SALES_KINDS:
            there = [e for e in self._crm.entities.values() if e.kind == kind and not e.gone and not e.apart]
            old = [entity for entity in there if entity.created < at - 2 * DAY]
            for entity in random.sample(old, min(2, len(old))):
                self._crm.update(entity, at, **edits[kind])
