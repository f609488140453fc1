"""The account's balance in dollars: what every movement of money comes to after conversion and fees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from simulators.world.agenda import Agenda
from simulators.world.ids import Ids
from simulators.world.moments import DAY, END, MINUTE, START, add_months, date_of
from simulators.world.money import CURRENCIES, SETTLEMENT, charge
from simulators.world.payment_shapes import transaction_object
from simulators.world.store import Store
from simulators.world.writer import Writer

#: A card payment costs this share and this many cents, a conversion another share.
FEE_SHARE, FEE_CENTS, CONVERSION_SHARE = Fraction(29, 1000), 30, Fraction(1, 100)
DISPUTE_FEE = 1_500
_CLEARING = 2 * DAY


class Balance(Writer):
    """Writes balance transactions, which nothing announces: neither that they exist nor that they clear."""

    def __init__(self, store: Store, agenda: Agenda, ids: Ids) -> None:
        super().__init__(store, agenda, ids)
        self.available = 0
        """What could be sent to the bank now, cents."""
        self.on_cleared: list[Callable[[str, int], None]] = []
        """Called with the id of what a transaction is about when the transaction's money becomes available."""

    def begin(self) -> None:
        """Plans Stripe's own bills, one at the start of each month."""
        at, month = START, 1
        while (at := add_months(START, month, 1)) < END:
            self._agenda.plan(at + 10 * MINUTE, self._pay_stripe)
            month += 1

    def charge(self, source: str, amount: int, currency: str, at: int) -> str:
        """Money from a customer, less Stripe's fee. Returns the transaction's id."""
        settled, rate = self._settle(amount, currency, at)
        fees = [("Stripe processing fees", charge(SETTLEMENT, settled * FEE_SHARE) + FEE_CENTS)]
        if rate:
            fees.append(("Stripe currency conversion fee", charge(SETTLEMENT, settled * CONVERSION_SHARE)))
        return self._add("charge", source, at, settled, rate, fees, "Payment for invoice")

    def refund(self, source: str, amount: int, currency: str, at: int) -> str:
        settled, rate = self._settle(amount, currency, at)
        return self._add("refund", source, at, -settled, rate, (), "Refund of a payment")

    def refund_failure(self, source: str, refund: str, at: int) -> str:
        """The money of a refund that could not be delivered comes back, at the rate it went."""
        gone = self._store["balance_transactions"].latest(refund)
        return self._add("refund_failure", source, at, -gone["amount"], gone["exchange_rate"], (), "Failed refund")

    def withdraw(self, source: str, amount: int, currency: str, at: int) -> str:
        """The amount of a disputed charge, and the fee for the dispute."""
        settled, rate = self._settle(amount, currency, at)
        text = "Chargeback withdrawal"
        return self._add("adjustment", source, at, -settled, rate, [("Dispute fee", DISPUTE_FEE)], text)

    def reinstate(self, source: str, withdrawal: str, at: int) -> str:
        """Brings back what a dispute took, the fee included."""
        taken = self._store["balance_transactions"].latest(withdrawal)
        text = "Chargeback reversal"
        rate = taken["exchange_rate"]
        return self._add("adjustment", source, at, -taken["amount"], rate, [("Dispute fee", -taken["fee"])], text)

    def pay_out(self, payout: str, amount: int, fee: int, at: int, arrives: int) -> str:
        """Sends money to the bank. It is not available any more from now on, and settled when it arrives."""
        self.available -= amount + fee
        fees = [("Instant payout fee", fee)]
        return self._add("payout", payout, at, -amount, None, fees, "STRIPE PAYOUT", available=arrives)

    def bring_back(self, payout: str, amount: int, at: int) -> str:
        """The bank refused a payout: its money is available at once."""
        return self._add("payout_failure", payout, at, amount, None, (), "STRIPE PAYOUT FAILURE", available=at)

    def _pay_stripe(self, at: int) -> None:
        cents = 500 + int(self._ids.share("stripe's bill", at) * 4_500)
        self._add("stripe_fee", None, at, -cents, None, (), f"Billing - Usage Fee ({date_of(at - DAY)})")

    def _settle(self, amount: int, currency: str, at: int) -> tuple[int, float | None]:
        """An amount in cents, and the day's exchange rate, which is that between major units."""
        if currency == SETTLEMENT:
            return amount, None
        money = CURRENCIES[currency]
        wobble = Fraction(int(980 + 40 * self._ids.share("rate", currency, at // DAY)), 1000)
        major = Fraction(amount, 10**money.exponent)
        rate = float(f"{float(Fraction(10**money.exponent, 100) / money.per_dollar_cent * wobble):.6g}")
        return charge(SETTLEMENT, major * Fraction(str(rate)) * 100), rate

    def _add(
        self,
        type: str,
        source: str | None,
        at: int,
        amount: int,
        rate: float | None,
        fees: Sequence[tuple[str, int]],
        text: str,
        available: int | None = None,
    ) -> str:
        id = self._ids.stripe("balance_transaction", source, type, at, amount)
        if available is None:
            available = at - at % DAY + _CLEARING
        shape = transaction_object(id, type, source, at, available, amount, rate, fees, text)
        self._create(at, "balance_transactions", id, shape)
        self._agenda.plan(available, lambda now: self._clear(id, source, now))
        return id

    def _clear(self, id: str, source: str | None, at: int) -> None:
        shape = self._store["balance_transactions"].latest(id)
        self._save(at, "balance_transactions", id, {**shape, "status": "available"})
        if shape["type"] != "payout":
            self.available += shape["net"]
        if source:
            for listener in self.on_cleared:
                listener(source, at)
