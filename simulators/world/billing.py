"""Billing as a whole: puts its parts together, and offers what customers and the finance team do with it."""

from __future__ import annotations

from simulators.world.agenda import Agenda
from simulators.world.balance import Balance
from simulators.world.catalog import Price
from simulators.world.coupons import Coupons
from simulators.world.credit_notes import CreditNotes
from simulators.world.customers import Customers
from simulators.world.disputes import Disputes
from simulators.world.dunning import Dunning
from simulators.world.ids import Ids
from simulators.world.invoice_lines import LineMaker
from simulators.world.invoices import Invoices
from simulators.world.ledger import Coupon, Customer, Invoice, Subscription
from simulators.world.moments import DAY, HOUR
from simulators.world.payments import Payments
from simulators.world.payouts import Payouts
from simulators.world.refunds import Refunds
from simulators.world.store import Store
from simulators.world.subscriptions import StatusListener, Subscriptions


class Billing:
    """The parts are public; the methods are what needs more than one of them."""

    def __init__(self, store: Store, agenda: Agenda, ids: Ids) -> None:
        self._agenda = agenda
        self._lines = LineMaker(ids)
        self.customers = Customers(store, agenda, ids)
        self.coupons = Coupons(store, agenda, ids)
        self.balance = Balance(store, agenda, ids)
        self.invoices = Invoices(store, agenda, ids, self.customers)
        self.payments = Payments(store, agenda, ids, self.balance)
        self.refunds = Refunds(store, agenda, ids, self.balance, self.payments)
        self.disputes = Disputes(store, agenda, ids, self.balance, self.payments)
        self.credit_notes = CreditNotes(store, agenda, ids, self.invoices, self.payments, self.refunds)
        self.subscriptions = Subscriptions(store, agenda, ids, self.customers, self.coupons, self.invoices, self._lines)
        self.dunning = Dunning(
            agenda, ids, self.customers, self.subscriptions, self.invoices, self.payments, self.credit_notes
        )
        self.invoices.on_open.append(self.dunning.collect)
        self.invoices.on_void.append(self.payments.cancel)
        self.payments.on_charge += [self.refunds.consider, self.disputes.consider]
        self.credit_notes.on_settled.append(self.dunning.pay)
        self.coupons.begin()
        self.balance.begin()
        Payouts(store, agenda, ids, self.balance).begin()

    @property
    def on_status(self) -> list[StatusListener]:
        return self.subscriptions.on_status

    @property
    def on_period(self) -> list[StatusListener]:
        return self.subscriptions.on_period

    def subscribe(
        self,
        customer: Customer,
        at: int,
        prices: list[tuple[Price, int | None]],
        *,
        trial: bool = False,
        coupon: Coupon | None = None,
        steady: bool = False,
    ) -> Subscription:
        return self.subscriptions.begin(customer, at, prices, trial=trial, coupon=coupon, steady=steady)

    def delete_customer(self, customer: Customer, subscriptions: list[Subscription], at: int) -> None:
        """Deletes a customer; like Stripe, cancels its subscriptions and leaves its drafts lying around."""
        for subscription in subscriptions:
            self.subscriptions.cancel(subscription, at, "cancellation_requested")
        self.invoices.abandon_drafts(customer, at)
        self.customers.delete(customer, at)

    def bill_once(
        self,
        customer: Customer,
        at: int,
        charges: list[tuple[str | None, Price | None, int, int]],
        fate: str,
        finalize_in: int | None = HOUR,
    ) -> Invoice:
        """A manual invoice from (description, price, quantity, amount) each.

        `fate`: `collect`; `delete` (deleted as a draft); `void`; `uncollectible`; `wait` (until
        somebody has it paid). Without `finalize_in` it stays a
        draft until somebody finalises it.
        """
        lines = self._lines.by_hand(f"{customer.id}:{customer.manual + 1}", at, charges)
        customer.manual += 1
        self.customers.bill(customer, at)
        invoice = self.invoices.create(
            customer,
            at,
            "manual",
            lines,
            None,
            at,
            at,
            finalize_in=None if fate == "delete" else finalize_in,
            ignored=fate in ("void", "uncollectible", "wait"),
        )
        if fate == "delete":
            self._agenda.plan(at + 30 * HOUR, lambda now: self.invoices.delete_draft(invoice, now))
        elif fate == "void":
            self._agenda.plan(at + 2 * DAY, lambda now: self.invoices.void(invoice, now))
        elif fate == "uncollectible":
            self._agenda.plan(at + 25 * DAY, lambda now: self.invoices.give_up(invoice, now, "user_forgiven"))
        return invoice
