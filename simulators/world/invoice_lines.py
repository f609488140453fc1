"""Lines of invoices: what a period costs, and what a change in the middle of it does."""

from __future__ import annotations

from fractions import Fraction

from simulators.world.catalog import Price
from simulators.world.ids import Ids
from simulators.world.ledger import Item, Line, Subscription, unused
from simulators.world.money import charge


class LineMaker:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._numbers: dict[str, int] = {}

    def line(
        self, owner: str, amount: int, text: str | None, price: Price | None, quantity: int, start: int, end: int
    ) -> Line:
        number = self._numbers[owner] = self._numbers.get(owner, 0) + 1
        return Line(self._ids.stripe("line_item", owner, number), amount, text, price, quantity, start, end)

    def by_hand(self, owner: str, at: int, charges: list[tuple[str | None, Price | None, int, int]]) -> list[Line]:
        """Lines from (description, price, quantity, amount) each."""
        lines = []
        for text, price, quantity, amount in charges:
            line = self.line(owner, amount, text, price, quantity, at, at)
            line.invoice_item = self._ids.stripe("invoiceitem", line.id)
            lines.append(line)
        return lines

    def period(self, subscription: Subscription, *, free: bool = False, arrears_from: int | None = None) -> list[Line]:
        """One line per item for the period that begins; metered items for the one that ended."""
        lines = []
        for item in subscription.items:
            price, quantity = item.price, item.quantity
            start, end = subscription.period_start, subscription.period_end
            if quantity is None:
                if arrears_from is None:
                    continue
                start, end = arrears_from, subscription.period_start
                quantity = self._ids.random("usage", item.id, end).randrange(0, 200_000)
            amount = 0 if free else price.amount(quantity)
            text = f"Trial period for {price.product_name}" if free else f"{quantity} x {price.product_name}"
            line = self.line(subscription.id, amount, text, price, quantity, start, end)
            line.item, line.subscription = item.id, subscription.id
            lines.append(line)
        return lines

    def credit(self, subscription: Subscription, item: Item, at: int, left: Fraction) -> Line:
        """Takes back what is left of a period that was paid for already."""
        quantity = item.quantity or 0
        exact = _discounted(subscription, unused(item.price, quantity, left))
        amount = -charge(subscription.customer.currency, exact)
        text = f"Unused time on {quantity} x {item.price.product_name}"
        line = self._proration(subscription, item, amount, text, item.price, quantity, at)
        billed = subscription.billed.get(item.id)
        line.credited = (billed[0], (billed[1],)) if billed else None
        return line

    def charge(
        self, subscription: Subscription, item: Item, price: Price, quantity: int, at: int, left: Fraction
    ) -> Line:
        """Another price or quantity for what is left of a period."""
        exact = _discounted(subscription, unused(price, quantity, left))
        amount = charge(subscription.customer.currency, exact)
        text = f"Remaining time on {quantity} x {price.product_name}"
        return self._proration(subscription, item, amount, text, price, quantity, at)

    def _proration(
        self, subscription: Subscription, item: Item, amount: int, text: str, price: Price, quantity: int, at: int
    ) -> Line:
        line = self.line(subscription.id, amount, text, price, quantity, at, subscription.period_end)
        line.item, line.subscription, line.proration = item.id, subscription.id, True
        line.invoice_item = self._ids.stripe("invoiceitem", line.id)
        return line


def _discounted(subscription: Subscription, amount: Fraction) -> Fraction:
    coupon = subscription.discount.coupon if subscription.discount else None
    return amount * (100 - coupon.percent) / 100 if coupon and coupon.percent else amount
