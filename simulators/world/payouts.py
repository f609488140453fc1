"""Payouts: every night Stripe clears the balance with the company's bank, which now and then refuses."""

from __future__ import annotations

from simulators.world.agenda import Agenda
from simulators.world.balance import Balance
from simulators.world.ids import Ids
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, START
from simulators.world.payment_ledger import Payout
from simulators.world.payment_shapes import payout_object
from simulators.world.store import Store
from simulators.world.writer import Writer

#: Sent by itself at this time of the day, two days on its way.
_SENT_AT, _ON_ITS_WAY = 20 * MINUTE, 2 * DAY
#: One in so many comes back, and that of the night before the busy days.
_REFUSED_EVERY, _REFUSED_NIGHT = 40, BUSY_DAYS[0] - DAY
#: Then somebody wants half of it at once, for one percent of that.
_INSTANT_AFTER, _INSTANT_ARRIVES_IN = 8 * HOUR, 30 * MINUTE


class Payouts(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids, balance: Balance) -> None:
        super().__init__(store, agenda, ids)
        self._balance = balance

    def begin(self) -> None:
        for day in range(START, END, DAY):
            self._agenda.plan(day + _SENT_AT, self._send_all)

    def _send_all(self, at: int) -> None:
        amount = self._balance.available
        if amount == 0:  # a debt is collected from the bank
            return
        night = at - _SENT_AT
        payout = self._send(at, amount, 0, night + _ON_ITS_WAY, automatic=True)
        refused = night == _REFUSED_NIGHT or self._next("automatic") % _REFUSED_EVERY == 0
        self._agenda.plan(at + 26 * HOUR, lambda now: self._reconcile(payout, now))
        self._agenda.plan(payout.arrives + 8 * HOUR, lambda now: self._arrive(payout, now))
        if refused:
            self._agenda.plan(payout.arrives + 30 * HOUR, lambda now: self._refuse(payout, now))

    def _send_at_once(self, at: int) -> None:
        amount = self._balance.available // 2
        if amount <= 0:
            return
        fee = max(50, amount // 100)
        payout = self._send(at, amount - fee, fee, at + _INSTANT_ARRIVES_IN, automatic=False)
        self._agenda.plan(payout.arrives, lambda now: self._arrive(payout, now))

    def _send(self, at: int, amount: int, fee: int, arrives: int, *, automatic: bool) -> Payout:
        id = self._ids.stripe("payout", at)
        payout = Payout(id, amount, at, arrives, self._ids.stripe("bank_account", "own"), automatic)
        payout.transaction = self._balance.pay_out(id, amount, fee, at, arrives)
        self._create(at, "payouts", id, payout_object(payout), "payout.created")
        return payout

    def _reconcile(self, payout: Payout, at: int) -> None:
        """Mark the payout as reconciled: Stripe lists its transactions from now on."""
        payout.reconciled = True
        self._save(at, "payouts", payout.id, payout_object(payout), "payout.reconciliation_completed")

    def _arrive(self, payout: Payout, at: int) -> None:
        payout.status, payout.trace = "paid", self._ids.token(14, "trace", payout.id)
        self._save(at, "payouts", payout.id, payout_object(payout), "payout.paid")

    def _refuse(self, payout: Payout, at: int) -> None:
        payout.status, payout.failure = "failed", "account_closed"
        payout.failure_transaction = self._balance.bring_back(payout.id, payout.amount, at)
        self._save(at, "payouts", payout.id, payout_object(payout), "payout.failed")
        self._agenda.plan(at + _INSTANT_AFTER, self._send_at_once)
