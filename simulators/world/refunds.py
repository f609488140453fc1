"""Refunds: most succeed at once, some are pending for a day, a few cannot be delivered and come back."""

from __future__ import annotations

from simulators.world.agenda import Agenda
from simulators.world.balance import Balance
from simulators.world.ids import Ids
from simulators.world.moments import DAY, HOUR
from simulators.world.money import charge as round_to_step
from simulators.world.payment_ledger import Charge, Refund
from simulators.world.payment_shapes import refund_object
from simulators.world.payments import Payments
from simulators.world.store import Store
from simulators.world.writer import Writer

_REASONS = ("requested_by_customer", "duplicate", None)


class Refunds(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids, balance: Balance, payments: Payments) -> None:
        super().__init__(store, agenda, ids)
        self._balance = balance
        self._payments = payments

    def consider(self, charge: Charge, at: int) -> None:
        """Some charges are refunded without any credit note, in one part or two."""
        draw = self._ids.share("refund", charge.id)
        if draw < 0.008:
            part = round_to_step(charge.customer.currency, charge.amount // 3)
            days = 1 + int(self._ids.share("refunded after", charge.id) * 25)
            self._agenda.plan(at + days * DAY + 2 * HOUR, lambda now: self.refund(charge, part, now))
            if draw < 0.003:
                self._agenda.plan(at + days * DAY + 20 * HOUR, lambda now: self.refund(charge, part, now))

    def refund(self, charge: Charge, amount: int, at: int, outcome: str = "") -> Refund | None:
        """Gives money back. `outcome`: `succeeded`, `pending` (for a day), `failed` (after a day), else drawn.

        None when that much isn't left, or the charge is disputed.
        """
        if amount <= 0 or charge.disputed or amount > charge.amount - charge.refunded:
            return None
        number = self._next(charge.id)
        id = self._ids.stripe("refund", charge.id, number)
        draw = self._ids.share("outcome", id)
        outcome = outcome or ("failed" if draw < 0.05 else "pending" if draw < 0.4 else "succeeded")
        reason = _REASONS[int(self._ids.share("reason", id) * len(_REASONS))]
        refund = Refund(id, charge, amount, at, reason, "succeeded" if outcome == "succeeded" else "pending")
        refund.transaction = self._balance.refund(id, amount, charge.customer.currency, at)
        charge.refunded += amount
        self._create(at, "refunds", id, refund_object(refund), "refund.created")
        self._payments.save(charge, at, "charge.refunded")
        if outcome == "pending":
            self._agenda.plan(at + DAY, lambda now: self._deliver(refund, now))
        elif outcome == "failed":
            self._agenda.plan(at + DAY, lambda now: self._fail(refund, now))
        return refund

    def note(self, refund: Refund, at: int, key: str, value: str) -> None:
        refund.metadata = {**refund.metadata, key: value}
        self._update(refund, at)

    def _deliver(self, refund: Refund, at: int) -> None:
        refund.status = "succeeded"
        self._update(refund, at)

    def _fail(self, refund: Refund, at: int) -> None:
        refund.status, refund.failure = "failed", "expired_or_canceled_card"
        transaction = refund.transaction or ""
        refund.failure_transaction = self._balance.refund_failure(refund.id, transaction, at)
        refund.charge.refunded -= refund.amount
        self._update(refund, at, "refund.failed")
        self._payments.save(refund.charge, at, "charge.updated")

    def _update(self, refund: Refund, at: int, *more: str) -> None:
        types = ("refund.updated", "charge.refund.updated", *more)
        self._save(at, "refunds", refund.id, refund_object(refund), *types)
