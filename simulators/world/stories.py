"""Plays the customers' decisions: signing up, upgrading, cancelling, coming back, buying services."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from simulators.world.accounts import Account
from simulators.world.agenda import Agenda
from simulators.world.billing import Billing
from simulators.world.catalog import ADD_ONS, METERED, PLANS, SERVICES, TIERED, Catalog, Price
from simulators.world.coupons import COUPONS
from simulators.world.ids import Ids
from simulators.world.ledger import CONTACT_LINK, Customer, Subscription, TaxRate
from simulators.world.moments import BUSY_DAYS, DAY, HOUR, MINUTE, SECOND, START, date_of, instant, whole_second
from simulators.world.money import charge
from simulators.world.store import Store

_FEEDBACK = ("too_expensive", "missing_features", "switched_service", "unused", "customer_service", "other", None)
_PLAN_NAMES = [name for name, _ in PLANS]


class Stories:
    """Drives billing with the decisions of every account."""

    def __init__(
        self,
        store: Store,
        agenda: Agenda,
        ids: Ids,
        catalog: Catalog,
        billing: Billing,
        accounts: list[Account],
        contact_of: Callable[[Account], str | None],
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._ids = ids
        self._catalog = catalog
        self._billing = billing
        self._accounts = accounts
        self._contact_of = contact_of
        self._rates = _tax_rates(ids)
        billing.on_period.append(self._plan_period)

    def begin(self) -> None:
        """Plans every sign-up and what is bound to happen on a certain day."""
        for account in self._accounts:
            self._agenda.plan(account.signs_up, partial(self._sign_up, account))
            if account.delete_at and account.delete_at > account.signs_up + DAY:
                self._agenda.plan(account.delete_at, partial(self._delete, account))

    # -- signing up ----------------------------------------------------------------------------

    def _sign_up(self, account: Account, at: int) -> None:
        customer = self._add_customer(account, at, account.currency)
        random = account.random
        if account.role == "same_email" or (account.role is None and random.random() < 0.06):
            later = whole_second(at + random.randint(1, 90) * DAY + random.randint(0, 80_000) * SECOND)
            self._agenda.plan(later, lambda now: self._sign_up_again(account, now))
        if account.subscribes:
            delay = random.randint(20, 900) * SECOND
            self._agenda.plan(at + delay, lambda now: self._subscribe(account, customer, now))
        if account.role == "twelve_items":
            self._plan_big_invoices(account, customer)
        elif random.random() < 0.12 or account.role in ("yen", "dinar", "uncollectible"):
            later = whole_second(at + random.randint(2, 60) * DAY + random.randint(0, 80_000) * SECOND)
            self._agenda.plan(later, lambda now: self._buy_service(account, customer, now))

    def _sign_up_again(self, account: Account, at: int) -> None:
        """The same person makes a second customer with the same address, sometimes in another currency."""
        currency = "eur" if account.role == "same_email" and account.currency == "usd" else account.currency
        customer = self._add_customer(account, at, account.random.choice((currency, account.currency, "usd")))
        if account.random.random() < 0.8 or account.role:
            self._subscribe(account, customer, at)

    def _add_customer(self, account: Account, at: int, currency: str) -> Customer:
        random = account.random
        number = len(account.customers)
        id = self._ids.stripe("customer", account.index, number)
        by_invoice = account.role is None and random.random() < 0.12
        name = account.company.name if account.company else f"{account.person.first} {account.person.last}"
        customer = Customer(
            id=id,
            created=at,
            account=account.index,
            name=name if random.random() < 0.95 else None,
            email=account.stripe_email,
            phone=account.person.phone,
            place=account.place if random.random() < 0.85 else None,
            currency=currency,
            prefix=self._ids.token(8, "prefix", id).upper(),
            by_invoice=by_invoice,
            payment_method=None if by_invoice else self._ids.stripe("payment_method", id),
            failure_rate=0.0 if account.role else random.choice((0.01, 0.02, 0.02, 0.03, 0.25)),
            tax=self._rates.get(currency),
            metadata={"plan_source": random.choice(("web", "sales", "partner"))} if random.random() < 0.6 else {},
        )
        contact = self._contact_of(account)
        if contact and account.role is None and self._ids.share("link", id) < 0.4:
            # They came by a link that sales had sent them.
            customer.metadata[CONTACT_LINK] = contact
        account.customers.append(customer)
        self._billing.customers.add(customer, at)
        return customer

    def _subscribe(self, account: Account, customer: Customer, at: int, *, back: bool = False) -> None:
        if customer.deleted:
            return
        random = account.random
        role = account.role if not account.subscriptions else None
        plan = random.choices(_PLAN_NAMES, (35, 35, 22, 8))[0]
        seats = random.choice((1, 1, 2, 3, 5, 8, 13))
        yearly = role is None and random.random() < 0.22
        if role == "twelve_items":
            plan, seats = "Enterprise", 40
        elif role == "credit_balance":
            plan, seats, yearly = "Business", 9, True
        interval = "year" if yearly else "month"
        prices: list[tuple[Price, int | None]] = [(self._catalog.price(plan, customer.currency, interval), seats)]
        if not yearly:
            prices += self._add_ons(account, customer.currency, everything=role == "twelve_items")
        coupon = None
        if back or (role is None and random.random() < 0.18):
            fitting = [c for c in COUPONS if c.currency in (None, customer.currency)]
            coupon = random.choice(fitting)
        subscription = self._billing.subscribe(
            customer,
            at,
            prices,
            trial=role is None and not back and random.random() < 0.35,
            coupon=coupon,
            steady=account.steady or account.role == "delete_busy",
        )
        account.subscriptions.append(subscription)
        if role == "credit_balance":
            self._agenda.plan(at + 45 * DAY, lambda now: self._downsize(subscription, now))

    def _add_ons(self, account: Account, currency: str, *, everything: bool) -> list[tuple[Price, int | None]]:
        random = account.random
        names = [name for name, _ in ADD_ONS if everything or random.random() < 0.05]
        found: list[tuple[Price, int | None]] = [(self._catalog.price(name, currency, "month"), 1) for name in names]
        if everything or random.random() < 0.08:
            found.append((self._catalog.price(METERED, currency, "month"), None))
        if everything or random.random() < 0.06:
            found.append((self._catalog.price(TIERED, currency, "month"), random.randint(5, 400)))
        return found

    # -- during a subscription -----------------------------------------------------------------

    def _plan_period(self, subscription: Subscription, start: int) -> None:
        """At the start of each period: perhaps something happens in it."""
        if subscription.steady:
            return
        account = self._accounts[subscription.customer.account]
        random, end = account.random, subscription.period_end
        # A year is not twelve times as eventful as a month.
        draw = random.random() / (1 if end - start < 40 * DAY else 3)
        at = whole_second(start + 2 * HOUR + int(random.random() * max(HOUR, end - start - 4 * HOUR)))
        if account.role == "win_back" and not subscription.cancel_at_period_end:
            draw = 0.0 if len(account.subscriptions) == 0 else 1.0
        cycle = subscription.cycles
        if draw < 0.035:
            self._agenda.plan(at, lambda now: self._cancel_later(account, subscription, cycle, now))
        elif draw < 0.042:
            self._agenda.plan(at, lambda now: self._cancel_now(account, subscription, cycle, now))
        elif draw < 0.26:
            self._agenda.plan(at, lambda now: self._change(account, subscription, cycle, now))

    def _changeable(self, subscription: Subscription, cycle: int) -> bool:
        return (
            subscription.status in ("active", "trialing")
            and subscription.cycles == cycle
            and not subscription.cancel_at_period_end
            and not subscription.customer.deleted
        )

    def _change(self, account: Account, subscription: Subscription, cycle: int, at: int) -> None:
        """An upgrade, a downgrade, a move to yearly billing, or (mostly) another number of seats."""
        if not self._changeable(subscription, cycle):
            return
        random, item = account.random, subscription.items[0]
        position = _PLAN_NAMES.index(item.price.product_name)
        seats, interval, currency = item.quantity or 1, subscription.interval, subscription.customer.currency
        draw = random.random()
        if draw < 0.30:
            position = min(position + 1, len(_PLAN_NAMES) - 1)
        elif draw < 0.45:
            position = max(position - 1, 0)
        elif draw < 0.52 and len(subscription.items) == 1 and interval == "month":
            interval = "year"
        elif draw < 0.85:
            seats += random.choice((1, 1, 2, 5))
        else:
            seats = max(1, seats - random.choice((1, 2, 3)))
        price = self._catalog.price(_PLAN_NAMES[position], currency, interval)
        if price.id != item.price.id or seats != item.quantity:
            self._billing.subscriptions.change_plan(subscription, at, price, seats, invoice_now=random.random() < 0.5)

    def _downsize(self, subscription: Subscription, at: int) -> None:
        """A yearly plan shrinks early on: the invoice is negative, its total becomes the customer's balance."""
        if subscription.status == "active":
            price = self._catalog.price("Starter", subscription.customer.currency, "year")
            self._billing.subscriptions.change_plan(subscription, at, price, 1, invoice_now=True)

    def _cancel_later(self, account: Account, subscription: Subscription, cycle: int, at: int) -> None:
        if not self._changeable(subscription, cycle):
            return
        random = account.random
        self._billing.subscriptions.cancel_at_period_end(subscription, at, random.choice(_FEEDBACK))
        if random.random() < 0.2 and account.role is None:
            back = at + (subscription.period_end - at) // 2
            self._agenda.plan(whole_second(back), lambda now: self._billing.subscriptions.keep(subscription, now))
        else:
            self._plan_win_back(account, subscription.customer, subscription.period_end)

    def _cancel_now(self, account: Account, subscription: Subscription, cycle: int, at: int) -> None:
        if self._changeable(subscription, cycle):
            reason = "payment_disputed" if account.random.random() < 0.3 else "cancellation_requested"
            self._billing.subscriptions.cancel(subscription, at, reason)
            self._plan_win_back(account, subscription.customer, at)

    def _plan_win_back(self, account: Account, customer: Customer, after: int) -> None:
        if account.role == "win_back" or account.random.random() < 0.3:
            at = whole_second(
                after + account.random.randint(20, 120) * DAY + account.random.randint(0, 80_000) * SECOND
            )
            self._agenda.plan(at, lambda now: self._win_back(account, customer, now))

    def _win_back(self, account: Account, customer: Customer, at: int) -> None:
        if not account.active:
            self._subscribe(account, customer, at, back=True)

    def _delete(self, account: Account, at: int) -> None:
        customer = account.customers[0]
        mine = [subscription for subscription in account.subscriptions if subscription.customer is customer]
        self._billing.delete_customer(customer, mine, at)

    # -- services ------------------------------------------------------------------------------

    def _buy_service(self, account: Account, customer: Customer, at: int) -> None:
        if customer.deleted:
            return
        random = account.random
        charges: list[tuple[str | None, Price | None, int, int]] = []
        for name, _ in random.sample(SERVICES[:3], random.choice((1, 1, 2))):
            price = self._catalog.price(name, customer.currency, None)
            charges.append((name, price, 1, price.amount(1)))
        if random.random() < 0.5:
            seats = random.randint(1, 4)
            price = self._catalog.workshop(at, customer.currency)
            charges.append((price.product_name, price, seats, price.amount(seats)))
        if random.random() < 0.4:
            # An item entered by hand as a bare amount: it has no price.
            charges.append(
                ("Travel expenses", None, 1, charge(customer.currency, Fraction(random.randint(3_000, 40_000))))
            )
        fate = random.choices(("collect", "delete", "void", "uncollectible"), (70, 12, 12, 6))[0]
        fate = {"uncollectible": "uncollectible", "yen": "void", "dinar": "delete"}.get(account.role or "", fate)
        self._billing.bill_once(customer, at, charges, fate)

    def _plan_big_invoices(self, account: Account, customer: Customer) -> None:
        """Usage invoices with more lines than a list embeds (11) and more than a page holds (120)."""
        days = [(instant(2025, 10, 14), 11), (instant(2025, 11, 20), 120), (BUSY_DAYS[1], 11), (BUSY_DAYS[1], 120)]
        days += [(BUSY_DAYS[2], 120), (BUSY_DAYS[2], 11), (BUSY_DAYS[3], 11)]
        for position, (day, count) in enumerate(days):
            at = day + 9 * HOUR + position * 17 * MINUTE
            self._agenda.plan(at, partial(self._bill_usage, customer, count))

        for day in BUSY_DAYS:
            # A draft that is thrown away thirty hours later.
            self._agenda.plan(day + 5 * HOUR, partial(self._draft_by_mistake, customer))

    def _draft_by_mistake(self, customer: Customer, at: int) -> None:
        price = self._catalog.price("Training day", customer.currency, None)
        self._billing.bill_once(customer, at, [("Training day", price, 1, price.amount(1))], "delete")

    def _bill_usage(self, customer: Customer, count: int, at: int) -> None:
        price = self._catalog.price("Usage export", customer.currency, None)
        random = self._ids.random("usage", customer.id, at)
        charges: list[tuple[str | None, Price | None, int, int]] = []
        for team in range(1, count + 1):
            quantity = random.randint(1, 40)
            charges.append((f"Usage export, team {team}, {date_of(at)}", price, quantity, price.amount(quantity)))
        self._billing.bill_once(customer, at, charges, "collect")


def _tax_rates(ids: Ids) -> dict[str, TaxRate]:
    rows = (("eur", "DE", "VAT", 19, False), ("gbp", "GB", "VAT", 20, False), ("jpy", "JP", "JCT", 10, True))
    return {
        currency: TaxRate(ids.stripe("tax_rate", currency), country, name, percent, inclusive, START)
        for currency, country, name, percent, inclusive in rows
    }
