"""The life of an invoice: draft, open, and then paid, void, uncollectible or deleted. Nothing here moves money."""

from __future__ import annotations

from collections.abc import Callable

from simulators.world.agenda import Agenda
from simulators.world.arithmetic import ending_balance, settle, take_balance
from simulators.world.customers import Customers
from simulators.world.ids import Ids
from simulators.world.invoice_shapes import invoice_object, lines_object
from simulators.world.ledger import Customer, Invoice, Line, Subscription
from simulators.world.moments import DAY
from simulators.world.store import Store
from simulators.world.writer import Writer

Step = Callable[[Invoice, int], None]


class Invoices(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids, customers: Customers) -> None:
        super().__init__(store, agenda, ids)
        self._customers = customers
        self._by_customer: dict[str, list[Invoice]] = {}
        self.by_id: dict[str, Invoice] = {}
        """Those that weren't deleted."""
        self.on_open: list[Step] = []
        """Called with an invoice that was just finalised: to collect it."""
        self.on_void: list[Step] = []

    def of(self, customer: Customer, status: str) -> list[Invoice]:
        """A customer's invoices that have `status` now, oldest first."""
        mine = self._by_customer.get(customer.id, [])
        return [invoice for invoice in mine if invoice.status == status and invoice.id in self.by_id]

    def create(
        self,
        customer: Customer,
        at: int,
        reason: str,
        lines: list[Line],
        subscription: Subscription | None,
        period_start: int,
        period_end: int,
        finalize_in: int | None = None,
        ignored: bool = False,
    ) -> Invoice:
        id = self._ids.stripe("invoice", customer.id, self._next("invoice", customer.id))
        discount = subscription.discount if subscription else None
        by_invoice = customer.by_invoice or ignored
        invoice = Invoice(
            id, customer, at, reason, lines, subscription, discount, period_start, period_end, by_invoice, ignored
        )
        settle(invoice)
        take_balance(invoice, customer.balance)
        if finalize_in is None:
            invoice.auto_advance = reason in ("subscription_create", "subscription_update")
        else:
            invoice.finalizes_at = at + finalize_in
            self._agenda.plan(at + finalize_in, lambda now: self.finalize(invoice, now))
        self.by_id[id] = invoice
        self._by_customer.setdefault(customer.id, []).append(invoice)
        customer.drafts.add(id)
        self._create(at, "invoices", id, invoice_object(invoice, lines_object(invoice)), "invoice.created")
        return invoice

    def finalize(self, invoice: Invoice, at: int) -> None:
        customer = invoice.customer
        if customer.deleted or invoice.id not in customer.drafts:
            return
        customer.drafts.discard(invoice.id)
        take_balance(invoice, customer.balance)
        invoice.ending_balance = ending_balance(invoice)
        invoice.number = f"{customer.prefix}-{customer.next_number:04d}"
        invoice.status, invoice.finalized_at, invoice.finalizes_at = "open", at, None
        invoice.address, invoice.email = customer.place, customer.email
        invoice.name, invoice.phone = customer.name, customer.phone
        if invoice.by_invoice:
            invoice.due_date = at + 30 * DAY
        customer.next_number += 1
        customer.balance = invoice.ending_balance
        self.save(invoice, at, "invoice.finalized", "invoice.updated")
        self._customers.save(customer, at)
        for step in self.on_open:
            step(invoice, at)

    def mark_paid(self, invoice: Invoice, at: int) -> None:
        invoice.status, invoice.paid_at = "paid", at
        invoice.amount_paid = invoice.amount_due
        invoice.next_attempt, invoice.auto_advance = None, False
        self.save(invoice, at, "invoice.paid", "invoice.payment_succeeded", "invoice.updated")

    def give_up(self, invoice: Invoice, at: int, reason: str) -> None:
        if invoice.status == "open":
            invoice.status, invoice.uncollectible_at, invoice.uncollectible_reason = "uncollectible", at, reason
            invoice.next_attempt, invoice.auto_advance = None, False
            self.save(invoice, at, "invoice.marked_uncollectible", "invoice.updated")

    def void(self, invoice: Invoice, at: int) -> None:
        if invoice.status not in ("open", "uncollectible"):
            return
        invoice.status, invoice.voided_at = "void", at
        invoice.next_attempt, invoice.auto_advance = None, False
        self.save(invoice, at, "invoice.voided", "invoice.updated")
        for step in self.on_void:
            step(invoice, at)
        customer = invoice.customer
        used = (invoice.ending_balance or 0) - invoice.starting_balance
        restored = customer.balance - used
        if customer.delinquent or used:
            # A void invoice gives back what it had taken from the customer's balance.
            customer.delinquent, customer.balance = False, restored
            self._customers.save(customer, at)

    def delete_draft(self, invoice: Invoice, at: int) -> None:
        if invoice.status == "draft" and not invoice.customer.deleted:
            invoice.customer.drafts.discard(invoice.id)
            del self.by_id[invoice.id]
            self._remove(at, "invoices", invoice.id, "invoice.deleted")

    def abandon_drafts(self, customer: Customer, at: int) -> None:
        """The drafts of a customer who is about to be deleted stay as they are for ever."""
        for id in sorted(customer.drafts):
            invoice = self.by_id[id]
            invoice.auto_advance = False
            invoice.finalizes_at = None
            self.save(invoice, at, "invoice.updated")

    def note(self, invoice_id: str, at: int, key: str, value: str) -> None:
        """Sets a metadata entry, as the finance team does on old invoices."""
        invoice = self.by_id.get(invoice_id)
        if invoice:
            invoice.metadata = {**invoice.metadata, key: value}
            self.save(invoice, at, "invoice.updated")

    def save(self, invoice: Invoice, at: int, *types: str) -> None:
        # The lines don't change once the invoice exists: they are taken from its first version.
        lines = self._store["invoices"].records[invoice.id].versions[0].object["lines"]
        self._save(at, "invoices", invoice.id, invoice_object(invoice, lines), *types)

    def announce(self, invoice: Invoice, at: int, type: str) -> None:
        self._announce_again(at, "invoices", invoice.id, type)
