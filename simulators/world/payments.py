"""Payments of invoices: what is asked for, the attempts to charge a card, and payments made outside of Stripe."""

from __future__ import annotations

from collections.abc import Callable

from simulators.world.agenda import Agenda
from simulators.world.balance import Balance
from simulators.world.ids import Ids
from simulators.world.ledger import Invoice
from simulators.world.payment_ledger import Charge, Payment
from simulators.world.payment_shapes import charge_object, payment_object
from simulators.world.store import Store
from simulators.world.writer import Writer

#: Why cards are declined.
DECLINES = ("card_declined", "insufficient_funds", "expired_card", "processing_error")
#: Of the customers that are sent invoices, how many pay by bank transfer, past Stripe.
_OUTSIDE = 0.3


class Payments(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids, balance: Balance) -> None:
        super().__init__(store, agenda, ids)
        self._balance = balance
        self.of_invoice: dict[str, Payment] = {}
        self.on_charge: list[Callable[[Charge, int], None]] = []
        """Called with every charge that succeeded."""

    def request(self, invoice: Invoice, at: int) -> None:
        """An invoice was finalised with something to pay. Stripe announces no such request."""
        id = self._ids.stripe("invoice_payment", invoice.id)
        payment = Payment(id, invoice, at, self._ids.stripe("payment_intent", invoice.id), invoice.amount_due)
        self.of_invoice[invoice.id] = payment
        self._create(at, "invoice_payments", id, payment_object(payment))

    def adjust(self, invoice: Invoice, at: int) -> None:
        """A credit changed what is due."""
        payment = self.of_invoice[invoice.id]
        payment.requested = invoice.amount_due
        self._save(at, "invoice_payments", payment.id, payment_object(payment))

    def fail(self, invoice: Invoice, at: int) -> None:
        charge = self._attempt(invoice, at)
        charge.failure = DECLINES[int(self._ids.share("decline", charge.id) * len(DECLINES))]
        self._create(at, "charges", charge.id, charge_object(charge), "charge.failed")

    def succeed(self, invoice: Invoice, at: int) -> None:
        """Pay the amount due, by card or outside of Stripe. If nothing is due (any more), nothing is charged."""
        payment = self.of_invoice.get(invoice.id)
        if payment is None:
            return
        if invoice.amount_due == 0:
            self.cancel(invoice, at)
            return
        sent = invoice.by_invoice and not invoice.ignored
        outside = sent and self._ids.share("outside", invoice.customer.id) < _OUTSIDE
        if outside:
            payment.record = self._ids.stripe("payment_record", invoice.id)
        else:
            charge = payment.charge = self._attempt(invoice, at)
            charge.transaction = self._balance.charge(charge.id, charge.amount, invoice.customer.currency, at)
            self._create(at, "charges", charge.id, charge_object(charge), "charge.succeeded")
        payment.status, payment.paid_at = "paid", at
        self._save(at, "invoice_payments", payment.id, payment_object(payment), "invoice_payment.paid")
        if payment.charge:
            for listener in self.on_charge:
                listener(payment.charge, at)

    def cancel(self, invoice: Invoice, at: int) -> None:
        """Nobody will pay any more. Stripe announces nothing about it."""
        payment = self.of_invoice.get(invoice.id)
        if payment and payment.status == "open":
            payment.status, payment.canceled_at = "canceled", at
            self._save(at, "invoice_payments", payment.id, payment_object(payment))

    def save(self, charge: Charge, at: int, *types: str) -> None:
        self._save(at, "charges", charge.id, charge_object(charge), *types)

    def _attempt(self, invoice: Invoice, at: int) -> Charge:
        payment = self.of_invoice[invoice.id]
        id = self._ids.stripe("charge", invoice.id, self._next("charge", invoice.id))
        return Charge(id, invoice.customer, invoice.number, payment.intent, invoice.amount_due, at)
