"""Subscriptions and invoices as Stripe runs them: what happens by itself once a customer subscribes.

Whether payments fail is drawn here; what customers decide (upgrades, cancellations, …) is in `stories`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

from include.simulators.world import shapes
from include.simulators.world.agenda import Agenda
from include.simulators.world.arithmetic import ending_balance, settle, take_balance
from include.simulators.world.catalog import Price
from include.simulators.world.ids import Ids
from include.simulators.world.ledger import Coupon, Customer, Discount, Invoice, Item, Line, Subscription, unused
from include.simulators.world.moments import DAY, HOUR, SECOND, add_months, day_of_month
from include.simulators.world.money import charge
from include.simulators.world.store import JsonObject, Store

#: Days after the first failed attempt at which Stripe tries again.
RETRY_DAYS = (3, 5, 7)
TRIAL_DAYS = 14

StatusListener = Callable[[Subscription, int], None]


class Billing:
    """Writes customers, subscriptions and invoices, and announces what Stripe would announce."""

    def __init__(self, store: Store, agenda: Agenda, ids: Ids) -> None:
        self._store = store
        self._agenda = agenda
        self._ids = ids
        self._invoices: dict[str, Invoice] = {}
        self._by_customer: dict[str, list[Invoice]] = {}
        self._lines: dict[str, JsonObject] = {}
        self._luck: dict[str, Random] = {}
        self._numbers: dict[str, int] = {}
        self.on_status: list[StatusListener] = []
        """Called with the subscription and the instant whenever a status changes."""
        self.on_period: list[StatusListener] = []
        """Called when a paid or unpaid period begins, so that the customer's story can go on."""

    # -- customers -----------------------------------------------------------------------------

    def add_customer(self, customer: Customer, at: int) -> None:
        self._store["customers"].create(customer.id, at, shapes.customer_object(customer))
        self._announce(at, "customer.created", "customers", customer.id, 0)
        self._luck[customer.id] = self._ids.random("luck", customer.id)

    def save_customer(self, customer: Customer, at: int) -> None:
        if not customer.deleted:
            self._save(at, "customers", customer.id, shapes.customer_object(customer), "customer.updated")

    def delete_customer(self, customer: Customer, subscriptions: list[Subscription], at: int) -> None:
        """Deletes a customer; like Stripe, cancels its subscriptions and leaves its drafts lying around."""
        for subscription in subscriptions:
            if not subscription.over:
                self.cancel(subscription, at, "cancellation_requested")
        for id in sorted(customer.drafts):
            self._invoices[id].auto_advance = False
            self._invoices[id].finalizes_at = None
            self._save_invoice(self._invoices[id], at, "invoice.updated")
        customer.deleted = True
        index = self._store["customers"].remove(customer.id, at, "deleted")
        self._announce(at, "customer.deleted", "customers", customer.id, index)

    # -- subscriptions -------------------------------------------------------------------------

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
        end = trial_end or self._period_after(at, interval, at)
        status = "trialing" if trial else "incomplete" if not customer.by_invoice else "active"
        subscription = Subscription(id, customer, at, anchor, items, interval, at, end, status, steady=steady)
        if trial:
            subscription.trial_start, subscription.trial_end = at, trial_end
        if coupon:
            ends = None if coupon.months is None else add_months(at, coupon.months, day_of_month(at))
            discount_id = self._ids.stripe("discount", id)
            subscription.discount = Discount(discount_id, coupon, customer.id, id, at, ends)
            self._store["discounts"].create(discount_id, at, shapes.discount_object(subscription.discount))
        self._store["subscriptions"].create(id, at, shapes.subscription_object(subscription))
        self._announce(at, "customer.subscription.created", "subscriptions", id, 0)
        if subscription.discount:
            self._announce(at, "customer.discount.created", "discounts", subscription.discount.id, 0)
        if not customer.billed:
            customer.billed = True
            self.save_customer(customer, at)
        lines = self._period_lines(subscription, at, free=trial)
        first = self._create_invoice(customer, at, "subscription_create", lines, subscription, at, at)
        self._point_to(subscription, first, at)
        self._finalize(first, at)
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
            self.save_subscription(subscription, at)
            return
        if price.interval != subscription.interval:
            self._change_interval(subscription, at, price, quantity)
            return
        left = Fraction(subscription.period_end - at, subscription.period_end - subscription.period_start)
        lines = [
            self._credit_line(subscription, item, at, left),
            self._charge_line(subscription, item, price, quantity, at, left),
        ]
        item.price, item.quantity = price, quantity
        if not invoice_now:
            subscription.pending += lines
            self.save_subscription(subscription, at)
            return
        invoice = self._create_invoice(subscription.customer, at, "subscription_update", lines, subscription, at, at)
        self._point_to(subscription, invoice, at)
        self._finalize(invoice, at)

    def _change_interval(self, subscription: Subscription, at: int, price: Price, quantity: int) -> None:
        """Another interval starts a new period now: the rest of the old one is credited in full."""
        item = subscription.items[0]
        left = Fraction(subscription.period_end - at, subscription.period_end - subscription.period_start)
        credit = self._credit_line(subscription, item, at, left)
        item.price, item.quantity = price, quantity
        subscription.interval, subscription.anchor = price.interval or "month", at
        self._start_period(subscription, at, self._period_after(at, subscription.interval, at))
        lines = [credit, *subscription.pending, *self._period_lines(subscription, at)]
        subscription.pending = []
        invoice = self._create_invoice(subscription.customer, at, "subscription_update", lines, subscription, at, at)
        self._point_to(subscription, invoice, at)
        self._finalize(invoice, at)
        self._plan_cycle(subscription)

    def cancel_at_period_end(self, subscription: Subscription, at: int, feedback: str | None) -> None:
        subscription.cancel_at_period_end, subscription.canceled_at = True, at
        subscription.cancel_reason, subscription.feedback = "cancellation_requested", feedback
        self.save_subscription(subscription, at)

    def keep(self, subscription: Subscription, at: int) -> None:
        """Takes a planned cancellation back."""
        if subscription.over or not subscription.cancel_at_period_end:
            return
        subscription.cancel_at_period_end, subscription.canceled_at = False, None
        subscription.cancel_reason = subscription.feedback = None
        self.save_subscription(subscription, at)

    def cancel(self, subscription: Subscription, at: int, reason: str) -> None:
        subscription.status, subscription.ended_at = "canceled", at
        subscription.canceled_at = subscription.canceled_at or at
        subscription.cancel_reason = subscription.cancel_reason or reason
        subscription.cycles += 1
        shape = shapes.subscription_object(subscription)
        self._save(at, "subscriptions", subscription.id, shape, "customer.subscription.deleted")
        self._status_changed(subscription, at)

    def save_subscription(self, subscription: Subscription, at: int) -> None:
        shape = shapes.subscription_object(subscription)
        self._save(at, "subscriptions", subscription.id, shape, "customer.subscription.updated")

    def _set_status(self, subscription: Subscription, at: int, status: str) -> None:
        if subscription.status != status and not subscription.over:
            subscription.status = status
            self.save_subscription(subscription, at)
            self._status_changed(subscription, at)

    def _status_changed(self, subscription: Subscription, at: int) -> None:
        for listener in self.on_status:
            listener(subscription, at)

    def _remind_of_trial(self, subscription: Subscription, at: int) -> None:
        if subscription.status == "trialing":
            versions = self._store["subscriptions"].records[subscription.id].versions
            self._announce(
                at, "customer.subscription.trial_will_end", "subscriptions", subscription.id, len(versions) - 1
            )

    def _period_after(self, at: int, interval: str, anchor: int) -> int:
        return add_months(at, 12 if interval == "year" else 1, day_of_month(anchor))

    def _start_period(self, subscription: Subscription, start: int, end: int) -> None:
        subscription.period_start, subscription.period_end = start, end
        subscription.billed = {}
        subscription.cycles += 1

    def _plan_cycle(self, subscription: Subscription) -> None:
        number = subscription.cycles
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
        self._start_period(subscription, at, self._period_after(at, subscription.interval, subscription.anchor))
        lines = [*subscription.pending, *self._period_lines(subscription, at, arrears_from=before)]
        subscription.pending = []
        # While a subscription is unpaid, Stripe goes on making invoices but leaves them as drafts.
        wait = None if subscription.status == "unpaid" else HOUR
        invoice = self._create_invoice(
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
        self.save_subscription(subscription, at)

    # -- lines ---------------------------------------------------------------------------------

    def _line(
        self, owner: str, amount: int, text: str | None, price: Price | None, quantity: int, start: int, end: int
    ) -> Line:
        id = self._ids.stripe("line_item", owner, self._next("line", owner))
        return Line(id, amount, text, price, quantity, start, end)

    def _period_lines(
        self, subscription: Subscription, at: int, *, free: bool = False, arrears_from: int | None = None
    ) -> list[Line]:
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
            line = self._line(subscription.id, amount, text, price, quantity, start, end)
            line.item, line.subscription = item.id, subscription.id
            lines.append(line)
        return lines

    def _discounted(self, subscription: Subscription, amount: Fraction) -> Fraction:
        coupon = subscription.discount.coupon if subscription.discount else None
        return amount * (100 - coupon.percent) / 100 if coupon and coupon.percent else amount

    def _proration(
        self, subscription: Subscription, item: Item, amount: int, text: str, price: Price, quantity: int, at: int
    ) -> Line:
        line = self._line(subscription.id, amount, text, price, quantity, at, subscription.period_end)
        line.item, line.subscription, line.proration = item.id, subscription.id, True
        line.invoice_item = self._ids.stripe("invoiceitem", line.id)
        return line

    def _credit_line(self, subscription: Subscription, item: Item, at: int, left: Fraction) -> Line:
        quantity = item.quantity or 0
        exact = self._discounted(subscription, unused(item.price, quantity, left))
        amount = -charge(subscription.customer.currency, exact)
        text = f"Unused time on {quantity} x {item.price.product_name}"
        line = self._proration(subscription, item, amount, text, item.price, quantity, at)
        billed = subscription.billed.get(item.id)
        line.credited = (billed[0], (billed[1],)) if billed else None
        return line

    def _charge_line(
        self, subscription: Subscription, item: Item, price: Price, quantity: int, at: int, left: Fraction
    ) -> Line:
        exact = self._discounted(subscription, unused(price, quantity, left))
        amount = charge(subscription.customer.currency, exact)
        text = f"Remaining time on {quantity} x {price.product_name}"
        return self._proration(subscription, item, amount, text, price, quantity, at)

    # -- invoices ------------------------------------------------------------------------------

    def bill_once(
        self, customer: Customer, at: int, charges: list[tuple[str | None, Price | None, int, int]], fate: str
    ) -> Invoice:
        """A manual invoice from (description, price, quantity, amount) each.

        `fate`: `collect`; `delete` (deleted as a draft); `void`; `uncollectible`.
        """
        number = self._next("manual", customer.id)
        lines = []
        for text, price, quantity, amount in charges:
            owner = f"{customer.id}:{number}"
            line = self._line(owner, amount, text, price, quantity, at, at)
            line.invoice_item = self._ids.stripe("invoiceitem", line.id)
            lines.append(line)
        if not customer.billed:
            customer.billed = True
            self.save_customer(customer, at)
        invoice = self._create_invoice(
            customer,
            at,
            "manual",
            lines,
            None,
            at,
            at,
            finalize_in=None if fate == "delete" else HOUR,
            ignored=fate in ("void", "uncollectible"),
        )
        if fate == "delete":
            self._agenda.plan(at + 30 * HOUR, lambda now: self._delete_draft(invoice, now))
        elif fate == "void":
            self._agenda.plan(at + 2 * DAY, lambda now: self._void(invoice, now))
        elif fate == "uncollectible":
            self._agenda.plan(at + 25 * DAY, lambda now: self._give_up(invoice, now, "user_forgiven"))
        return invoice

    def credit(self, invoice_id: str, at: int, share: Fraction) -> None:
        """A credit note for a share of an invoice: before payment it lowers what is due, afterwards it is refunded."""
        invoice = self._invoices[invoice_id]
        if invoice.status == "open" and invoice.amount_due:
            part = charge(invoice.customer.currency, invoice.amount_due * share)
            invoice.pre_payment_credit += part
            invoice.amount_due -= part
            if invoice.amount_due == 0:
                self._pay(invoice, at)
                return
        elif invoice.status == "paid" and invoice.amount_paid and not invoice.post_payment_credit:
            invoice.post_payment_credit = charge(invoice.customer.currency, invoice.amount_paid * share)
        else:
            return
        self._save_invoice(invoice, at, "invoice.updated")

    def note(self, invoice_id: str, at: int, key: str, value: str) -> None:
        """Sets a metadata entry, as the finance team does on old invoices."""
        invoice = self._invoices[invoice_id]
        if invoice_id in self._lines:
            invoice.metadata = {**invoice.metadata, key: value}
            self._save_invoice(invoice, at, "invoice.updated")

    def invoices_of(self, customer: Customer, status: str) -> list[Invoice]:
        """A customer's invoices that have `status` now, oldest first."""
        mine = self._by_customer.get(customer.id, [])
        return [invoice for invoice in mine if invoice.status == status and invoice.id in self._lines]

    def _create_invoice(
        self,
        customer: Customer,
        at: int,
        reason: str,
        lines: list[Line],
        subscription: Subscription | None,
        period_start: int,
        period_end: int,
        finalize_in: int | None = None,
        ignored: bool = False,
    ) -> Invoice:
        id = self._ids.stripe("invoice", customer.id, self._next("invoice", customer.id))
        discount = subscription.discount if subscription else None
        by_invoice = customer.by_invoice or ignored
        invoice = Invoice(
            id, customer, at, reason, lines, subscription, discount, period_start, period_end, by_invoice, ignored
        )
        settle(invoice)
        take_balance(invoice, customer.balance)
        if finalize_in is None:
            invoice.auto_advance = reason in ("subscription_create", "subscription_update")
        else:
            invoice.finalizes_at = at + finalize_in
            self._agenda.plan(at + finalize_in, lambda now: self._finalize(invoice, now))
        self._invoices[id] = invoice
        self._by_customer.setdefault(customer.id, []).append(invoice)
        self._lines[id] = shapes.lines_object(invoice)
        customer.drafts.add(id)
        self._store["invoices"].create(id, at, shapes.invoice_object(invoice, self._lines[id]))
        self._announce(at, "invoice.created", "invoices", id, 0)
        return invoice

    def _finalize(self, invoice: Invoice, at: int) -> None:
        customer = invoice.customer
        if customer.deleted or invoice.id not in customer.drafts:
            return
        customer.drafts.discard(invoice.id)
        take_balance(invoice, customer.balance)
        invoice.ending_balance = ending_balance(invoice)
        invoice.number = f"{customer.prefix}-{customer.next_number:04d}"
        invoice.status, invoice.finalized_at, invoice.finalizes_at = "open", at, None
        invoice.address, invoice.email = customer.place, customer.email
        invoice.name, invoice.phone = customer.name, customer.phone
        if invoice.by_invoice:
            invoice.due_date = at + 30 * DAY
        customer.next_number += 1
        customer.balance = invoice.ending_balance
        self._save_invoice(invoice, at, "invoice.finalized", "invoice.updated")
        self.save_customer(customer, at)
        if invoice.amount_due == 0:
            invoice.attempted = True
            self._pay(invoice, at)
        elif invoice.by_invoice:
            self._announce_again(invoice, at, "invoice.sent")
            if invoice.ignored:
                return
            wait = self._luck[customer.id].randint(2, 50) * DAY + self._luck[customer.id].randint(0, 86_399) * SECOND
            self._agenda.plan(at + wait, lambda now: self._pay(invoice, now))
        elif invoice.reason == "subscription_cycle":
            # Renewals are charged a few seconds after they were finalised, all others in the same second.
            self._agenda.plan(at + 3 * SECOND, lambda now: self._attempt(invoice, now))
        else:
            self._attempt(invoice, at)

    def _attempt(self, invoice: Invoice, at: int) -> None:
        """Charges the card."""
        customer = invoice.customer
        if invoice.status != "open" or customer.deleted:
            return
        luck = self._luck[customer.id]
        rate = customer.failure_rate if invoice.attempts == 0 else 0.45
        if luck.random() >= rate:
            self._pay(invoice, at)
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
        self._save_invoice(invoice, at, "invoice.payment_failed", "invoice.updated")
        if not customer.delinquent:
            customer.delinquent = True
            self.save_customer(customer, at)
        if first_ever:
            self._await_first_payment(invoice, at, luck)
        elif last:
            self._after_last_attempt(invoice, at, luck)
        elif invoice.subscription:
            self._set_status(invoice.subscription, at, "past_due")

    def _await_first_payment(self, invoice: Invoice, at: int, luck: Random) -> None:
        """The first payment has 23 hours to succeed, else the subscription expires."""
        if luck.random() < 0.7:
            self._agenda.plan(at + luck.randint(600, 60_000) * SECOND, lambda now: self._pay(invoice, now))
        else:
            self._agenda.plan(at + 23 * HOUR, lambda now: self._expire(invoice, now))

    def _expire(self, invoice: Invoice, at: int) -> None:
        subscription = invoice.subscription
        if invoice.status != "open" or subscription is None or subscription.over:
            return
        self._void(invoice, at)
        subscription.status, subscription.ended_at = "incomplete_expired", at
        self.save_subscription(subscription, at)
        self._status_changed(subscription, at)

    def _after_last_attempt(self, invoice: Invoice, at: int, luck: Random) -> None:
        subscription = invoice.subscription
        late = luck.randint(9, 60) * DAY + luck.randint(0, 86_399) * SECOND
        if subscription is None or luck.random() < 0.6:
            if subscription and not subscription.over:
                self.cancel(subscription, at, "payment_failed")
            self._give_up(invoice, at, "max_payment_attempts")
            if luck.random() < 0.3:
                self._agenda.plan(at + late, lambda now: self._pay(invoice, now))
            return
        self._set_status(subscription, at, "unpaid")
        if luck.random() < 0.6:
            self._agenda.plan(at + late, lambda now: self._pay(invoice, now))
        else:
            self._agenda.plan(at + late, lambda now: self._abandon(invoice, now))

    def _abandon(self, invoice: Invoice, at: int) -> None:
        """An unpaid subscription ends, and its open invoice is voided."""
        if invoice.subscription and not invoice.subscription.over:
            self.cancel(invoice.subscription, at, "payment_failed")
        self._void(invoice, at)

    def _pay(self, invoice: Invoice, at: int) -> None:
        customer = invoice.customer
        if invoice.status not in ("open", "uncollectible") or customer.deleted:
            return
        if invoice.amount_due:
            invoice.attempts += 0 if invoice.by_invoice else 1
            invoice.attempted = True
        invoice.status, invoice.paid_at = "paid", at
        invoice.amount_paid = invoice.amount_due
        invoice.next_attempt, invoice.auto_advance = None, False
        self._save_invoice(invoice, at, "invoice.paid", "invoice.payment_succeeded", "invoice.updated")
        owing = [other for other in self.invoices_of(customer, "open") if other.attempts] if customer.delinquent else []
        if customer.delinquent and not owing:
            customer.delinquent = False
            self.save_customer(customer, at)
        if invoice.subscription and invoice.subscription.status in ("incomplete", "past_due", "unpaid"):
            self._set_status(invoice.subscription, at, "active")
        luck = self._luck[customer.id]
        if invoice.amount_paid and luck.random() < 0.02:
            share = Fraction(luck.choice((1, 1, 2, 4)), 4)
            self._agenda.plan(
                at + luck.randint(3_600, 20 * 86_400) * SECOND, lambda now: self.credit(invoice.id, now, share)
            )

    def _give_up(self, invoice: Invoice, at: int, reason: str) -> None:
        if invoice.status == "open":
            invoice.status, invoice.uncollectible_at, invoice.uncollectible_reason = "uncollectible", at, reason
            invoice.next_attempt, invoice.auto_advance = None, False
            self._save_invoice(invoice, at, "invoice.marked_uncollectible", "invoice.updated")

    def _void(self, invoice: Invoice, at: int) -> None:
        if invoice.status not in ("open", "uncollectible"):
            return
        invoice.status, invoice.voided_at = "void", at
        invoice.next_attempt, invoice.auto_advance = None, False
        self._save_invoice(invoice, at, "invoice.voided", "invoice.updated")
        customer = invoice.customer
        used = (invoice.ending_balance or 0) - invoice.starting_balance
        restored = customer.balance - used
        if customer.delinquent or used:
            # A void invoice gives back what it had taken from the customer's balance.
            customer.delinquent, customer.balance = False, restored
            self.save_customer(customer, at)

    def _delete_draft(self, invoice: Invoice, at: int) -> None:
        if invoice.status == "draft" and not invoice.customer.deleted:
            invoice.customer.drafts.discard(invoice.id)
            del self._lines[invoice.id]
            index = self._store["invoices"].remove(invoice.id, at, "deleted")
            self._announce(at, "invoice.deleted", "invoices", invoice.id, index)

    def _save_invoice(self, invoice: Invoice, at: int, *types: str) -> None:
        self._save(at, "invoices", invoice.id, shapes.invoice_object(invoice, self._lines[invoice.id]), *types)

    def _announce_again(self, invoice: Invoice, at: int, type: str) -> None:
        index = len(self._store["invoices"].records[invoice.id].versions) - 1
        self._announce(at, type, "invoices", invoice.id, index)

    # -- common --------------------------------------------------------------------------------

    def _save(self, at: int, collection: str, id: str, shape: JsonObject, *types: str) -> None:
        index = self._store[collection].change(id, at, shape)
        for type in types:
            self._announce(at, type, collection, id, index)

    def _announce(self, at: int, type: str, collection: str, id: str, version: int) -> None:
        self._store.announce(at, type, collection, id, version)

    def _next(self, *key: str) -> int:
        name = ":".join(key)
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        return number
