"""Disputes: the bank takes the amount back at once, and returns it if the dispute is won."""

from __future__ import annotations

from simulators.world.agenda import Agenda
from simulators.world.balance import Balance
from simulators.world.ids import Ids
from simulators.world.moments import DAY, HOUR
from simulators.world.payment_ledger import Charge, Dispute
from simulators.world.payment_shapes import dispute_object
from simulators.world.payments import Payments
from simulators.world.store import JsonObject, Store
from simulators.world.writer import Writer

_REASONS = ("fraudulent", "product_not_received", "subscription_canceled", "duplicate")


class Disputes(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids, balance: Balance, payments: Payments) -> None:
        super().__init__(store, agenda, ids)
        self._balance = balance
        self._payments = payments
        self._open: dict[str, Dispute] = {}
        balance.on_cleared.append(self._cleared)

    def consider(self, charge: Charge, at: int) -> None:
        """Some charges are disputed weeks later."""
        draw = self._ids.share("dispute", charge.id)
        if draw < 0.006:
            days = 3 + int(self._ids.share("disputed after", charge.id) * 40)
            later = at + days * DAY + 5 * HOUR
            self._agenda.plan(later, lambda now: self.open(charge, now, won=draw < 0.002, decide_in=12 * DAY))

    def open(self, charge: Charge, at: int, *, won: bool, decide_in: int) -> None:
        """Opens a dispute that is answered after half of the time and decided at its end."""
        if charge.disputed or charge.refunded:
            return
        id = self._ids.stripe("dispute", charge.id)
        reason = _REASONS[int(self._ids.share("dispute reason", id) * len(_REASONS))]
        dispute = self._open[id] = Dispute(id, charge, at, reason)
        dispute.transactions.append(self._balance.withdraw(id, charge.amount, charge.customer.currency, at))
        charge.disputed = True
        types = ("charge.dispute.created", "charge.dispute.funds_withdrawn")
        self._create(at, "disputes", id, self._shape(dispute), *types)
        self._payments.save(charge, at, "charge.updated")
        self._agenda.plan(at + decide_in // 2, lambda now: self._answer(dispute, now))
        self._agenda.plan(at + decide_in, lambda now: self._decide(dispute, now, won=won))

    def _answer(self, dispute: Dispute, at: int) -> None:
        dispute.status, dispute.evidence = "under_review", True
        self._save(at, "disputes", dispute.id, self._shape(dispute), "charge.dispute.updated")

    def _decide(self, dispute: Dispute, at: int, *, won: bool) -> None:
        dispute.status = "won" if won else "lost"
        types = ["charge.dispute.closed"]
        if won:
            dispute.transactions.append(self._balance.reinstate(dispute.id, dispute.transactions[0], at))
            types.append("charge.dispute.funds_reinstated")
        self._save(at, "disputes", dispute.id, self._shape(dispute), *types)

    def _cleared(self, source: str, at: int) -> None:
        """A dispute shows its transactions in full: when one clears, the dispute changes too, as silently."""
        if source in self._open:
            self._save(at, "disputes", source, self._shape(self._open[source]))

    def _shape(self, dispute: Dispute) -> JsonObject:
        transactions = [self._store["balance_transactions"].latest(id) for id in dispute.transactions]
        return dispute_object(dispute, transactions)
