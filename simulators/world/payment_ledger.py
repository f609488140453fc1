"""The state of payments while the world is generated: what was asked for, charged, given back and disputed."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.world.ledger import Customer, Invoice


@dataclass(slots=True)
class Charge:
    """One attempt to charge a card for an invoice. `failure` is the code of the decline."""

    id: str
    customer: Customer
    number: str | None
    intent: str
    amount: int
    created: int
    failure: str | None = None
    refunded: int = 0
    disputed: bool = False
    transaction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Payment:
    """A payment of an invoice. `record` is set instead of `charge` when it was paid outside of Stripe."""

    id: str
    invoice: Invoice
    created: int
    intent: str
    requested: int
    status: str = "open"
    charge: Charge | None = None
    record: str | None = None
    paid_at: int | None = None
    canceled_at: int | None = None


@dataclass(slots=True)
class Refund:
    id: str
    charge: Charge
    amount: int
    created: int
    reason: str | None
    status: str = "succeeded"
    transaction: str | None = None
    failure: str | None = None
    """Why it failed; then `failure_transaction` brought the money back."""
    failure_transaction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Dispute:
    """`transactions` are the ids of one (funds withdrawn) or two (and reinstated) balance transactions."""

    id: str
    charge: Charge
    created: int
    reason: str
    status: str = "needs_response"
    evidence: bool = False
    transactions: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Payout:
    """Money on its way to the company's `bank`, cents. Who sends it by hand pays for getting it at once."""

    id: str
    amount: int
    created: int
    arrives: int
    bank: str
    automatic: bool
    status: str = "in_transit"
    transaction: str | None = None
    reconciled: bool = False
    """Whether Stripe can tell by now which movements it consists of."""
    trace: str | None = None
    """The bank's own reference."""
    failure: str | None = None
    """Why it was refused; then `failure_transaction` brought the money back."""
    failure_transaction: str | None = None


@dataclass(slots=True)
class CreditNote:
    """`amount` in total; `refund` or `out_of_band` says how it was given back, if the invoice was paid."""

    id: str
    invoice: Invoice
    number: str
    created: int
    amount: int
    paid: bool
    """Whether the invoice had been paid by then."""
    refund: Refund | None = None
    out_of_band: int | None = None
    memo: str | None = None
    voided_at: int | None = None
