"""Credit notes: they lower what is due on an open invoice, and give money back for a paid one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from simulators.world.agenda import Agenda
from simulators.world.credit_shapes import credit_note_object
from simulators.world.ids import Ids
from simulators.world.invoices import Invoices
from simulators.world.ledger import Invoice
from simulators.world.money import charge
from simulators.world.payment_ledger import CreditNote
from simulators.world.payments import Payments
from simulators.world.refunds import Refunds
from simulators.world.store import Store
from simulators.world.writer import Writer


class CreditNotes(Writer):
    def __init__(
        self, store: Store, agenda: Agenda, ids: Ids, invoices: Invoices, payments: Payments, refunds: Refunds
    ) -> None:
        super().__init__(store, agenda, ids)
        self._invoices = invoices
        self._payments = payments
        self._refunds = refunds
        self.on_settled: list[Callable[[Invoice, int], None]] = []
        """Called with an invoice on which nothing is due any more."""

    def credit(self, invoice: Invoice, at: int, share: Fraction) -> CreditNote | None:
        """Credits a share of what is due or was paid; None if there is nothing to credit."""
        currency = invoice.customer.currency
        if invoice.status == "open" and invoice.amount_due:
            part = charge(currency, invoice.amount_due * share)
            note = self._issue(invoice, at, part)
            invoice.pre_payment_credit += part
            invoice.amount_due -= part
            if invoice.amount_due == 0:
                for listener in self.on_settled:
                    listener(invoice, at)
                return note
            self._payments.adjust(invoice, at)
        elif invoice.status == "paid" and invoice.amount_paid and not invoice.post_payment_credit:
            part = charge(currency, invoice.amount_paid * share)
            note = self._issue(invoice, at, part)
            invoice.post_payment_credit = part
        else:
            return None
        self._invoices.save(invoice, at, "invoice.updated")
        return note

    def explain(self, note: CreditNote, at: int, memo: str) -> None:
        note.memo = memo
        self._save(at, "credit_notes", note.id, credit_note_object(note, self._ids), "credit_note.updated")

    def void(self, note: CreditNote, at: int) -> None:
        """Takes back a credit on an invoice that is still open."""
        invoice = note.invoice
        if invoice.status != "open" or note.voided_at:
            return
        note.voided_at = at
        self._save(at, "credit_notes", note.id, credit_note_object(note, self._ids), "credit_note.voided")
        invoice.pre_payment_credit -= note.amount
        invoice.amount_due += note.amount
        self._payments.adjust(invoice, at)
        self._invoices.save(invoice, at, "invoice.updated")

    def _issue(self, invoice: Invoice, at: int, amount: int) -> CreditNote:
        """Issues a note; for a paid invoice refunds the amount, outside of Stripe if it was paid there."""
        number = self._next(invoice.id)
        id = self._ids.stripe("credit_note", invoice.id, number)
        note = CreditNote(id, invoice, f"{invoice.number}-CN-{number:02d}", at, amount, paid=invoice.status == "paid")
        if note.paid:
            paid_by = self._payments.of_invoice[invoice.id].charge
            note.refund = self._refunds.refund(paid_by, amount, at, "succeeded") if paid_by else None
            note.out_of_band = None if note.refund else amount
        self._create(at, "credit_notes", id, credit_note_object(note, self._ids), "credit_note.created")
        return note
