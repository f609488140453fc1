"""Stripe's collections as data: names, nested lists, filters, events. A further collection is one more entry.

`RESOURCES` is what every world has; a running simulator takes more through `PUT /_sim/collections/{name}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "flag", "among", "range"]

#: Stands for the second of the change in `Resource.ends`.
NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A parameter of a list: what it is compared with, and how.

    `path` is dotted and looks into lists on its way; `pick` chooses one of several numbers for a range.
    `words` are the allowed values (none: any); `groups` are words that stand for several values, or for any (empty);
    what is `unless` is left out as long as the parameter isn't given.
    """

    path: str
    kind: Kind = "text"
    words: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unless: str | None = None
    pick: Literal["min", "max"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """A list inside of an object, cut to ten there and paged in full at `/v1/{parents}/{id}/{field}`.

    With `path` and `by` it is paged there instead, with the parent's id as a parameter that has to be given.
    """

    object: str
    path: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A list of those objects of another collection that point to this one. Absent unless it is expanded."""

    collection: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One collection of Stripe's, and how it behaves.

    `prefix` begins its ids, `names` are fields that hold an id without one; both are for `expand[]`.
    `created`, `updated` and `deleted` are the events of a change by hand; `{status}` in them is the object's own.
    Nothing is announced of an object whose status is in `quiet`.
    `ends`: what a deletion sets, when the object stays. `stub`: a deleted one is still answered, as a stub.
    `hidden` fields are only shown when expanded. `on_clock`: parameters without which objects on test clocks are left
    out. `permission` is the restricted key's that is needed to read it.
    """

    name: str
    object: str
    permission: str = ""
    prefix: str = ""
    names: tuple[str, ...] = ()
    served: bool = True
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    ends: dict[str, str] = field(default_factory=dict)
    stub: bool = False
    hidden: tuple[str, ...] = ()
    on_clock: tuple[str, ...] = ()
    filters: dict[str, Filter] = field(default_factory=dict)
    nested: dict[str, Nested] = field(default_factory=dict)
    related: dict[str, Related] = field(default_factory=dict)


def _text(*names: str) -> dict[str, Filter]:
    """Filters by the field of the same name."""
    return {name: Filter(path=name) for name in names}


def _all(prefix: str) -> dict[str, Any]:
    return {verb: (f"{prefix}.{verb}",) for verb in ("created", "updated", "deleted")}


_CREATED = {"created": Filter(path="created", kind="range")}

_TABLE = (
    Resource(
        name="customers",
        object="customer",
        permission="rak_customer_read",
        prefix="cus_",
        **_all("customer"),
        stub=True,
        on_clock=("test_clock",),
        filters={**_CREATED, **_text("email", "test_clock")},
    ),
    Resource(
        name="products",
        object="product",
        permission="rak_product_read",
        prefix="prod_",
        **_all("product"),
        filters={
            **_CREATED,
            "active": Filter(path="active", kind="flag"),
            "ids": Filter(path="id", kind="among"),
            "shippable": Filter(path="shippable", kind="flag"),
            **_text("type", "url"),
        },
    ),
    Resource(
        name="prices",
        object="price",
        permission="rak_plan_read",
        prefix="price_",
        **_all("price"),
        hidden=("tiers",),
        filters={
            **_CREATED,
            "active": Filter(path="active", kind="flag"),
            "lookup_keys": Filter(path="lookup_key", kind="among"),
            "recurring[interval]": Filter(path="recurring.interval"),
            "recurring[meter]": Filter(path="recurring.meter"),
            "recurring[usage_type]": Filter(path="recurring.usage_type"),
            **_text("currency", "product", "type"),
        },
    ),
    Resource(
        name="coupons",
        object="coupon",
        permission="rak_coupon_read",
        names=("coupon",),
        **_all("coupon"),
        filters=_CREATED,
    ),
    Resource(
        name="discounts",
        object="discount",
        prefix="di_",
        served=False,
        **_all("customer.discount"),
    ),
    Resource(
        name="subscriptions",
        object="subscription",
        permission="rak_subscription_read",
        prefix="sub_",
        created=("customer.subscription.created",),
        updated=("customer.subscription.updated",),
        deleted=("customer.subscription.deleted",),
        ends={"status": "canceled", "canceled_at": NOW, "ended_at": NOW},
        on_clock=("test_clock", "customer"),
        filters={
            **_CREATED,
            "automatic_tax[enabled]": Filter(path="automatic_tax.enabled", kind="flag"),
            "current_period_end": Filter(path="items.data.current_period_end", kind="range", pick="min"),
            "current_period_start": Filter(path="items.data.current_period_start", kind="range", pick="max"),
            "plan": Filter(path="items.data.plan.id"),
            "price": Filter(path="items.data.price.id"),
            "status": Filter(
                path="status",
                words=(
                    "active",
                    "canceled",
                    "incomplete",
                    "incomplete_expired",
                    "past_due",
                    "paused",
                    "trialing",
                    "unpaid",
                ),
                groups={"all": (), "ended": ("canceled", "incomplete_expired")},
                unless="canceled",
            ),
            **_text("collection_method", "customer", "customer_account", "test_clock"),
        },
        nested={"items": Nested(object="subscription_item", path="/v1/subscription_items", by="subscription")},
    ),
    Resource(
        name="invoices",
        object="invoice",
        permission="rak_invoice_read",
        prefix="in_",
        **_all("invoice"),
        on_clock=("customer", "subscription"),
        filters={
            **_CREATED,
            "due_date": Filter(path="due_date", kind="range"),
            "status": Filter(path="status", words=("draft", "open", "paid", "uncollectible", "void")),
            "subscription": Filter(path="parent.subscription_details.subscription"),
            **_text("collection_method", "customer", "customer_account"),
        },
        nested={"lines": Nested(object="line_item")},
        related={"payments": Related(collection="invoice_payments", by="invoice")},
    ),
    Resource(
        name="invoice_payments",
        object="invoice_payment",
        permission="rak_invoice_read",
        prefix="inpay_",
        updated=("invoice_payment.paid",),
        quiet=("open", "canceled"),
        filters={
            **_CREATED,
            "payment[type]": Filter(path="payment.type", words=("payment_intent", "payment_record")),
            "payment[payment_intent]": Filter(path="payment.payment_intent"),
            "payment[payment_record]": Filter(path="payment.payment_record"),
            "status": Filter(path="status", words=("canceled", "open", "paid")),
            **_text("invoice"),
        },
    ),
    Resource(
        name="charges",
        object="charge",
        permission="rak_charge_read",
        prefix="ch_",
        created=("charge.{status}",),
        updated=("charge.updated",),
        filters={**_CREATED, **_text("customer", "payment_intent", "transfer_group")},
        related={"refunds": Related(collection="refunds", by="charge")},
    ),
    Resource(
        name="refunds",
        object="refund",
        permission="rak_charge_read",
        prefix="re_",
        created=("refund.created",),
        updated=("refund.updated", "charge.refund.updated"),
        filters={**_CREATED, **_text("charge", "payment_intent")},
    ),
    Resource(
        name="disputes",
        object="dispute",
        permission="rak_dispute_read",
        prefix="du_",
        created=("charge.dispute.created",),
        updated=("charge.dispute.updated",),
        filters={**_CREATED, **_text("charge", "payment_intent")},
    ),
    Resource(
        name="credit_notes",
        object="credit_note",
        permission="rak_credit_note_read",
        prefix="cn_",
        created=("credit_note.created",),
        updated=("credit_note.updated",),
        deleted=("credit_note.voided",),
        ends={"status": "void", "voided_at": NOW},
        filters={**_CREATED, **_text("customer", "customer_account", "invoice")},
        nested={"lines": Nested(object="credit_note_line_item")},
    ),
    Resource(
        name="payouts",
        object="payout",
        permission="rak_payout_read",
        prefix="po_",
        created=("payout.created",),
        updated=("payout.updated",),
        filters={
            **_CREATED,
            **_text("destination", "status"),
            "arrival_date": Filter(path="arrival_date", kind="range"),
        },
    ),
    Resource(
        name="balance_transactions",
        object="balance_transaction",
        permission="rak_balance_transaction_source_read",
        prefix="txn_",
        filters={**_CREATED, **_text("currency", "payout", "source", "type")},
    ),
)
RESOURCES = {resource.name: resource for resource in _TABLE}


class Resources:
    """The collections that a simulation serves. More can be added while it runs."""

    def __init__(self, found: Iterable[Resource] = _TABLE) -> None:
        self.by_name: dict[str, Resource] = {}
        self.by_object: dict[str, Resource] = {}
        self.by_path: dict[str, tuple[Resource, str]] = {}
        """Path of a nested list that has one of its own -> its parent and field."""
        for resource in found:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Raises ValueError if the name or the object is taken by another collection."""
        holder = self.by_object.get(resource.object, resource)
        if holder.name != resource.name:
            raise ValueError(f"{holder.name} are the objects called {resource.object!r} already")
        self.by_name[resource.name] = self.by_object[resource.object] = resource
        for name, nested in resource.nested.items():
            if nested.path:
                self.by_path[nested.path] = (resource, name)

    def get(self, name: str) -> Resource | None:
        return self.by_name.get(name)

    def of_id(self, field: str, id: str) -> Resource | None:
        """The collection that the id in a field belongs to; None if the field holds no id."""
        for resource in self.by_name.values():
            if (resource.prefix and id.startswith(resource.prefix)) or field in resource.names:
                return resource
        return None
