"""The life of a subscription: periods, plan changes, cancellation. Each period makes an invoice."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from simulators.world.agenda import Agenda
from simulators.world.catalog import Price
from simulators.world.coupons import Coupons
from simulators.world.customers import Customers
from simulators.world.ids import Ids
from simulators.world.invoice_lines import LineMaker
from simulators.world.invoices import Invoices
from simulators.world.ledger import NOBODY, Coupon, Customer, Invoice, Item, Subscription
from simulators.world.moments import DAY, HOUR, add_months, day_of_month
from simulators.world.store import Store
from simulators.world.subscription_shapes import subscription_object
from simulators.world.writer import Writer

TRIAL_DAYS = 14

StatusListener = Callable[[Subscription, int], None]


class Subscriptions(Writer):
    def __init__(
        self,
        store: Store,
        agenda: Agenda,
        ids: Ids,
        customers: Customers,
        coupons: Coupons,
        invoices: Invoices,
        lines: LineMaker,
    ) -> None:
        super().__init__(store, agenda, ids)
        self._customers = customers
        self._coupons = coupons
        self._invoices = invoices
        self._lines = lines
        self.on_status: list[StatusListener] = []
        """Called with the subscription and the instant whenever the status of a drawn account's changes."""
        self.on_period: list[StatusListener] = []
        """Called when a paid or unpaid period begins, so that the customer's story can go on."""

    def begin(
        self,
        customer: Customer,
        at: int,
        prices: list[tuple[Price, int | None]],
        *,
        trial: bool = False,
        coupon: Coupon | None = None,
        steady: bool = False,
    ) -> Subscription:
        """Starts a subscription with the given prices and quantities (None for metered ones)."""
        number = self._next("subscription", customer.id)
        id = self._ids.stripe("subscription", customer.id, number)
        interval = prices[0][0].interval or "month"
        items = [
            Item(self._ids.stripe("subscription_item", id, position), price, quantity, at)
            for position, (price, quantity) in enumerate(prices)
        ]
        trial_end = at + TRIAL_DAYS * DAY if trial else None
        anchor = trial_end or at
        end = trial_end or _period_after(at, interval, at)
        status = "trialing" if trial else "incomplete" if not customer.by_invoice else "active"
        subscription = Subscription(id, customer, at, anchor, items, interval, at, end, status, steady=steady)
        if trial:
            subscription.trial_start, subscription.trial_end = at, trial_end
        if coupon:
            ends = None if coupon.months is None else add_months(at, coupon.months, day_of_month(at))
            subscription.discount = self._coupons.redeem(coupon, customer.id, id, at, ends)
        self._create(at, "subscriptions", id, subscription_object(subscription), "customer.subscription.created")
        if subscription.discount:
            self._announce_again(at, "discounts", subscription.discount.id, "customer.discount.created")
        self._customers.bill(customer, at)
        lines = self._lines.period(subscription, free=trial)
        first = self._invoices.create(customer, at, "subscription_create", lines, subscription, at, at)
        self._point_to(subscription, first, at)
        self._invoices.finalize(first, at)
        self._status_changed(subscription, at)
        if trial_end:
            self._agenda.plan(trial_end - 3 * DAY, lambda now: self._remind_of_trial(subscription, now))
        self._plan_cycle(subscription)
        return subscription

    def change_plan(
        self, subscription: Subscription, at: int, price: Price, quantity: int, *, invoice_now: bool
    ) -> None:
        """Moves the main item to another price or quantity, with prorations unless it is still a trial."""
        item = subscription.items[0]
        if subscription.status == "trialing":
            item.price, item.quantity = price, quantity
            self.save(subscription, at)
            return
        if price.interval != subscription.interval:
            self._change_interval(subscription, at, price, quantity)
            return
        left = _left(subscription, at)
        lines = [
            self._lines.credit(subscription, item, at, left),
            self._lines.charge(subscription, item, price, quantity, at, left),
        ]
        item.price, item.quantity = price, quantity
        if not invoice_now:
            subscription.pending += lines
            self.save(subscription, at)
            return
        invoice = self._invoices.create(subscription.customer, at, "subscription_update", lines, subscription, at, at)
        self._point_to(subscription, invoice, at)
        self._invoices.finalize(invoice, at)

    def _change_interval(self, subscription: Subscription, at: int, price: Price, quantity: int) -> None:
        """Another interval starts a new period now: the rest of the old one is credited in full."""
        item = subscription.items[0]
        credit = self._lines.credit(subscription, item, at, _left(subscription, at))
        item.price, item.quantity = price, quantity
        subscription.interval, subscription.anchor = price.interval or "month", at
        _start_period(subscription, at, _period_after(at, subscription.interval, at))
        lines = [credit, *subscription.pending, *self._lines.period(subscription)]
        subscription.pending = []
        invoice = self._invoices.create(subscription.customer, at, "subscription_update", lines, subscription, at, at)
        self._point_to(subscription, invoice, at)
        self._invoices.finalize(invoice, at)
        self._plan_cycle(subscription)

    def cancel_at_period_end(self, subscription: Subscription, at: int, feedback: str | None) -> None:
        subscription.cancel_at_period_end, subscription.canceled_at = True, at
        subscription.cancel_reason, subscription.feedback = "cancellation_requested", feedback
        self.save(subscription, at)

    def keep(self, subscription: Subscription, at: int) -> None:
        """Takes a planned cancellation back."""
        if subscription.over or not subscription.cancel_at_period_end:
            return
        subscription.cancel_at_period_end, subscription.canceled_at = False, None
        subscription.cancel_reason = subscription.feedback = None
        self.save(subscription, at)

    def cancel(self, subscription: Subscription, at: int, reason: str) -> None:
        if subscription.over:
            return
        subscription.status, subscription.ended_at = "canceled", at
        subscription.canceled_at = subscription.canceled_at or at
        subscription.cancel_reason = subscription.cancel_reason or reason
        subscription.cycles += 1
        shape = subscription_object(subscription)
        self._save(at, "subscriptions", subscription.id, shape, "customer.subscription.deleted")
        self._status_changed(subscription, at)

    def expire(self, subscription: Subscription, at: int) -> None:
        """Ends a subscription whose first payment never came."""
        subscription.status, subscription.ended_at = "incomplete_expired", at
        self.save(subscription, at)
        self._status_changed(subscription, at)

    def save(self, subscription: Subscription, at: int) -> None:
        shape = subscription_object(subscription)
        self._save(at, "subscriptions", subscription.id, shape, "customer.subscription.updated")

    def set_status(self, subscription: Subscription, at: int, status: str) -> None:
        if subscription.status != status and not subscription.over:
            subscription.status = status
            self.save(subscription, at)
            self._status_changed(subscription, at)

    def _status_changed(self, subscription: Subscription, at: int) -> None:
        if subscription.customer.account != NOBODY:
            for listener in self.on_status:
                listener(subscription, at)

    def _remind_of_trial(self, subscription: Subscription, at: int) -> None:
        if subscription.status == "trialing":
            self._announce_again(at, "subscriptions", subscription.id, "customer.subscription.trial_will_end")

    def _plan_cycle(self, subscription: Subscription) -> None:
        number = subscription.cycles
        if subscription.customer.account != NOBODY:
            for listener in self.on_period:
                listener(subscription, subscription.period_start)
        self._agenda.plan(subscription.period_end, lambda now: self._cycle(subscription, number, now))

    def _cycle(self, subscription: Subscription, number: int, at: int) -> None:
        """A period is over: the next one begins with a draft that is finalised an hour later."""
        if subscription.over or subscription.cycles != number:
            return
        if subscription.cancel_at_period_end:
            self.cancel(subscription, at, "cancellation_requested")
            return
        discount = subscription.discount
        if discount and discount.end is not None and at >= discount.end:
            subscription.discount = None
        trialed = subscription.status == "trialing"
        before = subscription.period_start
        _start_period(subscription, at, _period_after(at, subscription.interval, subscription.anchor))
        lines = [*subscription.pending, *self._lines.period(subscription, arrears_from=before)]
        subscription.pending = []
        # While a subscription is unpaid, Stripe goes on making invoices but leaves them as drafts.
        wait = None if subscription.status == "unpaid" else HOUR
        invoice = self._invoices.create(
            subscription.customer, at, "subscription_cycle", lines, subscription, before, at, finalize_in=wait
        )
        if trialed:
            subscription.status = "active"
        self._point_to(subscription, invoice, at)
        if trialed:
            self._status_changed(subscription, at)
        self._plan_cycle(subscription)

    def _point_to(self, subscription: Subscription, invoice: Invoice, at: int) -> None:
        subscription.latest_invoice = invoice.id
        for line in invoice.lines:
            if line.item and not line.proration:
                subscription.billed[line.item] = (invoice.id, line.id)
        if subscription.discount and subscription.discount.coupon.duration == "once" and invoice.discounted:
            subscription.discount = None
        self.save(subscription, at)


def _period_after(at: int, interval: str, anchor: int) -> int:
    return add_months(at, 12 if interval == "year" else 1, day_of_month(anchor))


def _start_period(subscription: Subscription, start: int, end: int) -> None:
    subscription.period_start, subscription.period_end = start, end
    subscription.billed = {}
    subscription.cycles += 1


def _left(subscription: Subscription, at: int) -> Fraction:
    """The share of the period that is still to come."""
    return Fraction(subscription.period_end - at, subscription.period_end - subscription.period_start)
