"""Collects open invoices: attempts, retries, and the end of a subscription that isn't paid."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from simulators.world.agenda import Agenda
from simulators.world.credit_notes import CreditNotes
from simulators.world.customers import Customers
from simulators.world.ids import Ids
from simulators.world.invoices import Invoices
from simulators.world.ledger import Invoice
from simulators.world.moments import DAY, HOUR, SECOND
from simulators.world.payments import Payments
from simulators.world.subscriptions import Subscriptions

#: Days after the first failed attempt at which Stripe tries again.
RETRY_DAYS = (3, 5, 7)


class Dunning:
    """Decides whether payments fail. What customers decide is in `stories`."""

    def __init__(
        self,
        agenda: Agenda,
        ids: Ids,
        customers: Customers,
        subscriptions: Subscriptions,
        invoices: Invoices,
        payments: Payments,
        credit_notes: CreditNotes,
    ) -> None:
        self._agenda = agenda
        self._ids = ids
        self._customers = customers
        self._subscriptions = subscriptions
        self._invoices = invoices
        self._payments = payments
        self._credit_notes = credit_notes
        self._lucks: dict[str, Random] = {}

    def _luck(self, invoice: Invoice) -> Random:
        id = invoice.customer.id
        if id not in self._lucks:
            self._lucks[id] = self._ids.random("luck", id)
        return self._lucks[id]

    def collect(self, invoice: Invoice, at: int) -> None:
        """Begins with an invoice that was just finalised."""
        if invoice.amount_due == 0:
            invoice.attempted = True
            self.pay(invoice, at)
            return
        self._payments.request(invoice, at)
        if invoice.by_invoice:
            self._invoices.announce(invoice, at, "invoice.sent")
            if invoice.ignored:
                return
            luck = self._luck(invoice)
            wait = luck.randint(2, 50) * DAY + luck.randint(0, 86_399) * SECOND
            self._agenda.plan(at + wait, lambda now: self.pay(invoice, now))
        elif invoice.reason == "subscription_cycle":
            # Renewals are charged a few seconds after they were finalised, all others in the same second.
            self._agenda.plan(at + 3 * SECOND, lambda now: self._attempt(invoice, now))
        else:
            self._attempt(invoice, at)

    def pay(self, invoice: Invoice, at: int) -> None:
        customer = invoice.customer
        if invoice.status not in ("open", "uncollectible") or customer.deleted:
            return
        if invoice.amount_due:
            invoice.attempts += 0 if invoice.by_invoice else 1
            invoice.attempted = True
        self._payments.succeed(invoice, at)
        self._invoices.mark_paid(invoice, at)
        owing = (
            [other for other in self._invoices.of(customer, "open") if other.attempts] if customer.delinquent else []
        )
        if customer.delinquent and not owing:
            customer.delinquent = False
            self._customers.save(customer, at)
        subscription = invoice.subscription
        if subscription and subscription.status in ("incomplete", "past_due", "unpaid"):
            self._subscriptions.set_status(subscription, at, "active")
        luck = self._luck(invoice)
        if invoice.amount_paid and luck.random() < 0.02:
            share = Fraction(luck.choice((1, 1, 2, 4)), 4)
            later = at + luck.randint(3_600, 20 * 86_400) * SECOND
            self._agenda.plan(later, lambda now: self._credit_notes.credit(invoice, now, share))

    def _attempt(self, invoice: Invoice, at: int) -> None:
        """Charges the card."""
        customer = invoice.customer
        if invoice.status != "open" or customer.deleted:
            return
        luck = self._luck(invoice)
        rate = customer.failure_rate if invoice.attempts == 0 else 0.45
        if luck.random() >= rate:
            self.pay(invoice, at)
            return
        invoice.attempts += 1
        invoice.attempted = True
        last = invoice.attempts > len(RETRY_DAYS)
        first_ever = invoice.reason == "subscription_create"
        if last or first_ever:
            invoice.next_attempt, invoice.auto_advance = None, False
        else:
            invoice.next_attempt = at + RETRY_DAYS[invoice.attempts - 1] * DAY
            self._agenda.plan(invoice.next_attempt, lambda now: self._attempt(invoice, now))
        self._payments.fail(invoice, at)
        self._invoices.save(invoice, at, "invoice.payment_failed", "invoice.updated")
        if not customer.delinquent:
            customer.delinquent = True
            self._customers.save(customer, at)
        if first_ever:
            self._await_first_payment(invoice, at, luck)
        elif last:
            self._after_last_attempt(invoice, at, luck)
        elif invoice.subscription:
            self._subscriptions.set_status(invoice.subscription, at, "past_due")

    def _await_first_payment(self, invoice: Invoice, at: int, luck: Random) -> None:
        """The first payment has 23 hours to succeed, else the subscription expires."""
        if luck.random() < 0.7:
            self._agenda.plan(at + luck.randint(600, 60_000) * SECOND, lambda now: self.pay(invoice, now))
        else:
            self._agenda.plan(at + 23 * HOUR, lambda now: self._expire(invoice, now))

    def _expire(self, invoice: Invoice, at: int) -> None:
        subscription = invoice.subscription
        if invoice.status != "open" or subscription is None or subscription.over:
            return
        self._invoices.void(invoice, at)
        self._subscriptions.expire(subscription, at)

    def _after_last_attempt(self, invoice: Invoice, at: int, luck: Random) -> None:
        subscription = invoice.subscription
        late = luck.randint(9, 60) * DAY + luck.randint(0, 86_399) * SECOND
        if subscription is None or luck.random() < 0.6:
            if subscription:
                self._subscriptions.cancel(subscription, at, "payment_failed")
            self._invoices.give_up(invoice, at, "max_payment_attempts")
            if luck.random() < 0.3:
                self._agenda.plan(at + late, lambda now: self.pay(invoice, now))
            return
        self._subscriptions.set_status(subscription, at, "unpaid")
        if luck.random() < 0.6:
            self._agenda.plan(at + late, lambda now: self.pay(invoice, now))
        else:
            self._agenda.plan(at + late, lambda now: self._abandon(invoice, now))

    def _abandon(self, invoice: Invoice, at: int) -> None:
        """An unpaid subscription ends, and its open invoice is voided."""
        if invoice.subscription:
            self._subscriptions.cancel(invoice.subscription, at, "payment_failed")
        self._invoices.void(invoice, at)
