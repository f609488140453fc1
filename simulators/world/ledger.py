"""The state that billing keeps while the world is generated: customers, subscriptions, invoices and their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from simulators.world.catalog import Price
from simulators.world.people import Place


@dataclass(frozen=True, slots=True)
class Coupon:
    """`percent` or `amount` (minor units of `currency`) is set. `months` is None unless the duration is repeating."""

    id: str
    name: str
    duration: str
    percent: int | None = None
    amount: int | None = None
    currency: str | None = None
    months: int | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """A coupon in use. `end` is None when it lasts for ever or only for one invoice."""

    id: str
    coupon: Coupon
    customer: str
    subscription: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class TaxRate:
    id: str
    country: str
    name: str
    percent: int
    inclusive: bool
    created: int


#: Metadata of a Stripe customer that name its records in HubSpot.
CONTACT_LINK, COMPANY_LINK = "hubspot_contact_id", "hubspot_company_id"
#: `Customer.account` of one who belongs to none of the drawn accounts.
NOBODY = -1


@dataclass(slots=True)
class Customer:
    """A Stripe customer. `balance` is negative when the company owes the customer."""

    id: str
    created: int
    account: int
    name: str | None
    email: str | None
    phone: str | None
    place: Place | None
    currency: str
    prefix: str
    by_invoice: bool
    payment_method: str | None
    failure_rate: float
    tax: TaxRate | None
    test_clock: str | None = None
    balance: int = 0
    billed: bool = False
    next_number: int = 1
    manual: int = 0
    """How many invoices were made by hand."""
    delinquent: bool = False
    deleted: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    drafts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Item:
    id: str
    price: Price
    quantity: int | None
    created: int


@dataclass(slots=True)
class Line:
    """A line of an invoice. `amount` is before discounts and exclusive tax, negative for credits."""

    id: str
    amount: int
    description: str | None
    price: Price | None
    quantity: int
    start: int
    end: int
    item: str | None = None
    subscription: str | None = None
    invoice_item: str | None = None
    proration: bool = False
    credited: tuple[str, tuple[str, ...]] | None = None
    """The invoice and its lines that a negative proration takes back."""
    discount: int = 0
    tax: int = 0


@dataclass(slots=True)
class Subscription:
    id: str
    customer: Customer
    created: int
    anchor: int
    items: list[Item]
    interval: str
    period_start: int
    period_end: int
    status: str
    discount: Discount | None = None
    trial_start: int | None = None
    trial_end: int | None = None
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    cancel_reason: str | None = None
    feedback: str | None = None
    latest_invoice: str | None = None
    pending: list[Line] = field(default_factory=list)
    """Prorations that wait for the next invoice."""
    billed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Item id -> (invoice, line) that billed the current period."""
    cycles: int = 0
    """Counts the periods, so that a cycle planned for a period that was cut short knows it is stale."""
    metadata: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    steady: bool = False
    """Nothing but renewals happens to it: the world needs some subscriptions to rely on."""

    @property
    def over(self) -> bool:
        return self.ended_at is not None


@dataclass(slots=True)
class Invoice:
    id: str
    customer: Customer
    created: int
    reason: str
    lines: list[Line]
    subscription: Subscription | None
    discount: Discount | None
    period_start: int
    period_end: int
    by_invoice: bool
    """Sent with a due date instead of charged to a card."""
    ignored: bool = False
    """The customer never pays it of their own accord."""
    status: str = "draft"
    number: str | None = None
    subtotal: int = 0
    discounted: int = 0
    tax: int = 0
    total: int = 0
    starting_balance: int = 0
    ending_balance: int | None = None
    amount_due: int = 0
    amount_paid: int = 0
    pre_payment_credit: int = 0
    post_payment_credit: int = 0
    auto_advance: bool = True
    finalizes_at: int | None = None
    due_date: int | None = None
    attempts: int = 0
    attempted: bool = False
    next_attempt: int | None = None
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    uncollectible_at: int | None = None
    uncollectible_reason: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    address: Place | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None


def unused(price: Price, quantity: int, share: Fraction) -> Fraction:
    """Return the exact cost of the remaining `share` of a period."""
    return Fraction(price.amount(quantity)) * share
