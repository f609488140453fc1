"""Customers that every world has beside the drawn ones, whatever its size: each shows what those need not.

They use no random generator of the others and are in no CRM, so the rest of the world is the same without them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from simulators.world.agenda import Agenda
from simulators.world.billing import Billing
from simulators.world.catalog import ADD_ONS, METERED, PLANS, TIERED, Catalog, Price
from simulators.world.ids import Ids
from simulators.world.ledger import NOBODY, Customer, Invoice, Subscription
from simulators.world.moments import BUSY_DAYS, DAY, HOUR, MINUTE, SECOND, START
from simulators.world.money import CURRENCIES
from simulators.world.payment_ledger import Charge, CreditNote
from simulators.world.people import place

#: Numbers of lines around what is embedded (10), what a page holds (100), and beyond two pages.
SIZES = (10, 11, 101, 250)
#: What becomes of the invoices in the diary.
_KINDS = ("pending", "failed", "disputed", "credited")


def showcase_customer(
    ids: Ids,
    name: str,
    at: int,
    currency: str,
    *,
    email: str | None,
    metadata: dict[str, str] | None = None,
    on_clock: bool = False,
) -> Customer:
    """A customer of no drawn account, who pays at once and never fails to."""
    id = ids.stripe("customer", "showcase", name)
    return Customer(
        id=id,
        created=at,
        account=NOBODY,
        name=f"Showcase {name}",
        email=email,
        phone=None,
        place=place(ids.random("showcase", name), currency),
        currency=currency,
        prefix=ids.token(8, "prefix", id).upper(),
        by_invoice=False,
        payment_method=ids.stripe("payment_method", id),
        failure_rate=0.0,
        tax=None,
        test_clock=ids.stripe("test_clock", name) if on_clock else None,
        metadata=metadata or {},
    )


class Showcase:
    def __init__(self, agenda: Agenda, ids: Ids, catalog: Catalog, billing: Billing) -> None:
        self._agenda = agenda
        self._ids = ids
        self._catalog = catalog
        self._billing = billing
        self._diary: dict[tuple[int, str], Invoice] = {}

    def begin(self) -> None:
        for number, money in enumerate(m for m in CURRENCIES.values() if m.further):
            self._agenda.plan(START + (40 + 30 * number) * DAY + number * HOUR, partial(self._live_in, money.code))
        for number, size in enumerate(SIZES):
            day = BUSY_DAYS[number % 2] - (90 * DAY if number < 2 else 0)
            self._agenda.plan(day + 7 * HOUR + number * MINUTE, partial(self._bill_many_lines, size))
        self._agenda.plan(BUSY_DAYS[2] - 400 * DAY, self._take_everything)
        # What was begun long ago changes on the third busy day.
        self._agenda.plan(BUSY_DAYS[2] - 40 * DAY + 9 * HOUR, self._leave_a_draft)
        self._agenda.plan(BUSY_DAYS[2] - 200 * DAY + 9 * HOUR, self._subscribe_for_a_while)
        self._agenda.plan(START + 220 * DAY, self._try_on_a_test_clock)
        diary = self._customer("diary", START + 300 * DAY, "eur")
        self._agenda.plan(diary.created, partial(self._billing.customers.add, diary))
        days = range(BUSY_DAYS[0] - 2 * DAY, BUSY_DAYS[-1] + DAY, DAY)
        for day in (days[0] - DAY, *days):
            self._agenda.plan(day + 8 * HOUR, partial(self._bill_for_the_diary, diary))
        for day in days:
            self._agenda.plan(day + 13 * HOUR, self._write_the_diary)

    def _customer(self, name: str, at: int, currency: str, *, on_clock: bool = False) -> Customer:
        email = f"accounts@{name}.showcase.example"
        return showcase_customer(self._ids, name, at, currency, email=email, on_clock=on_clock)

    def _plan_price(self, currency: str, plan: int = 1) -> Price:
        return self._catalog.price(PLANS[plan][0], currency, "month")

    def _live_in(self, currency: str, at: int) -> None:
        """A subscriber in each of the currencies that no drawn account pays in."""
        customer = self._customer(currency, at, currency)
        self._billing.customers.add(customer, at)
        self._billing.subscribe(customer, at + MINUTE, [(self._plan_price(currency), 3)], steady=True)

    def _bill_many_lines(self, size: int, at: int) -> None:
        customer = self._customer(f"lines-{size}", at, "usd")
        self._billing.customers.add(customer, at)
        price = self._catalog.price("Usage export", "usd", None)
        charges: list[tuple[str | None, Price | None, int, int]] = [
            (f"Usage export, team {team}", price, team, price.amount(team)) for team in range(1, size + 1)
        ]
        invoice = self._billing.bill_once(customer, at + MINUTE, charges, "collect")
        # The credit note has as many lines as the invoice.
        self._agenda.plan(at + DAY, lambda now: self._billing.credit_notes.credit(invoice, now, Fraction(1, 4)))

    def _take_everything(self, at: int) -> None:
        """A subscription with thirteen items: every add-on, storage, calls, and two plans."""
        customer = self._customer("everything", at, "usd")
        self._billing.customers.add(customer, at)
        prices: list[tuple[Price, int | None]] = [(self._plan_price("usd", 3), 5), (self._plan_price("usd", 0), 2)]
        prices += [(self._catalog.price(name, "usd", "month"), 1) for name, _ in ADD_ONS]
        prices.append((self._catalog.price(METERED, "usd", "month"), None))
        prices.append((self._catalog.price(TIERED, "usd", "month"), 150))
        self._billing.subscribe(customer, at + MINUTE, prices, steady=True)

    def _leave_a_draft(self, at: int) -> None:
        """A draft that is finalised, and paid in the same second, forty days later."""
        customer = self._customer("late", at, "gbp")
        self._billing.customers.add(customer, at)
        price = self._catalog.price("Onboarding", "gbp", None)
        charges: list[tuple[str | None, Price | None, int, int]] = [("Onboarding", price, 1, price.amount(1))]
        draft = self._billing.bill_once(customer, at + MINUTE, charges, "collect", finalize_in=None)
        self._agenda.plan(at + 40 * DAY, lambda now: self._billing.invoices.finalize(draft, now))

    def _subscribe_for_a_while(self, at: int) -> None:
        """A subscription that is cancelled after two hundred days."""
        customer = self._customer("leaver", at, "usd")
        self._billing.customers.add(customer, at)
        subscription = self._billing.subscribe(customer, at + MINUTE, [(self._plan_price("usd"), 4)], steady=True)
        self._agenda.plan(at + 200 * DAY, partial(self._cancel, subscription))

    def _cancel(self, subscription: Subscription, at: int) -> None:
        self._billing.subscriptions.cancel(subscription, at, "cancellation_requested")

    def _try_on_a_test_clock(self, at: int) -> None:
        """A developer's trial on a test clock: it never comes to a payment."""
        customer = self._customer("clock", at, "usd", on_clock=True)
        self._billing.customers.add(customer, at)
        prices: list[tuple[Price, int | None]] = [(self._plan_price("usd"), 1)]
        subscription = self._billing.subscribe(customer, at + MINUTE, prices, trial=True, steady=True)
        self._agenda.plan(at + 10 * DAY, partial(self._cancel, subscription))

    # -- the diary: on every busy day something happens to payments of the day before ------------

    def _bill_for_the_diary(self, customer: Customer, at: int) -> None:
        """One invoice for each kind of change, so that they don't get into each other's way."""
        price = self._catalog.price("Training day", customer.currency, None)
        charges: list[tuple[str | None, Price | None, int, int]] = [("Training day", price, 1, price.amount(1))]
        for kind in _KINDS:
            invoice = self._billing.bill_once(customer, at, charges, "wait")
            self._diary[at // DAY, kind] = invoice
            self._agenda.plan(at + 18 * HOUR, partial(self._billing.dunning.pay, invoice))

    def _write_the_diary(self, at: int) -> None:
        yesterday, billing = at // DAY - 1, self._billing
        charges = {kind: self._charge(self._diary[yesterday, kind]) for kind in _KINDS}
        for kind in ("pending", "failed"):
            billing.refunds.refund(charges[kind], charges[kind].amount // 5, at, kind)
        billing.disputes.open(charges["disputed"], at + SECOND, won=bool(at // DAY % 2), decide_in=DAY)
        note = billing.credit_notes.credit(self._diary[yesterday, "credited"], at, Fraction(1, 2))
        if note:
            self._agenda.plan(at + DAY, partial(self._explain, note))
        # Before the payment: one credit that stays and one that is taken back.
        unpaid = self._diary[at // DAY, "credited"]
        billing.credit_notes.credit(unpaid, at, Fraction(1, 10))
        mistaken = billing.credit_notes.credit(unpaid, at, Fraction(1, 10))
        if mistaken:
            self._agenda.plan(at + HOUR, partial(billing.credit_notes.void, mistaken))

    def _charge(self, invoice: Invoice) -> Charge:
        charge = self._billing.payments.of_invoice[invoice.id].charge
        assert charge is not None, f"{invoice.id} is not paid by card yet"
        return charge

    def _explain(self, note: CreditNote, at: int) -> None:
        self._billing.credit_notes.explain(note, at, "Agreed with the customer.")
