"""What every raw table must hold after a series of loads.

A table lags behind the books: a load sees an object as it is when the API answers, and only if its window touches the
object. So the loads are replayed here, on the books, by the documented behaviour of the two APIs:

* Stripe, by creation: every object created in the window that still exists. What a window held before and no longer
  holds is deleted.
* Stripe, by change: every object that was created in the window or that an event of the window names, as it is when it
  is read; deleted if it is gone.
  Collections without events are listed by creation instead, some days back. Events are remembered for 30 days; those
  that are listed no more are not deleted. The discounts of subscriptions and invoices are asked for as objects.
* HubSpot, by creation: the same as Stripe's; from the portal's first day on, everything that exists, since its list
  knows no dates. By change: every record whose modified date, as it is at the moment of the search, lies in the window;
  a record that changed again since is found by a later window.
* HubSpot's recycle bin, which goes back 90 days, is read whole by every load. Ids that were merged into a loaded
  record are deleted.
* Whole collections: everything that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from tests.oracle import hubspot_rows, stripe_rows
from tests.oracle.books import Books, Entry, Json
from tests.oracle.values import epoch, iso

Row = dict[str, Any]
Table = dict[tuple[str, ...], Row]
Source = Literal["stripe", "hubspot"]
#: Versions carry milliseconds, so this is the last moment before an exclusive end.
INSTANT = timedelta(milliseconds=1)
FIRST_DAY = datetime(2024, 7, 1, tzinfo=UTC)
#: How long HubSpot keeps an archived record in its recycle bin; after that no list returns it.
BIN_DAYS = timedelta(days=90)
#: How far back Stripe lists events.
EVENT_DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Load:
    """One load of a stream: what it asked for, and when the API answered. `stream` None: every stream of the source."""

    source: Source
    axis: Literal["created", "changed", "whole"]
    start: datetime
    end: datetime
    observed_at: datetime
    stream: str | None = None


Children = Mapping[str, tuple[tuple[str, ...], Callable[[Json], list[Row]]]]


@dataclass(frozen=True)
class _Stream:
    """A stream: its collection in the books, its tables, and the property that says when a record changed.

    `links` are collections of associations, by the column that holds the stream's own id. `typed`: `row` takes the
    catalogue of properties, too. `announced`: whether an event tells of an object that has become so. `listed_days`:
    how far back a daily load lists by creation, for want of events.
    """

    source: Source
    name: str
    collection: str
    row: Callable[..., Row]
    children: Children = field(default_factory=dict)
    modified: str = ""
    whole: bool = False
    has_bin: bool = True
    links: Mapping[str, str] = field(default_factory=dict)
    typed: bool = False
    key: tuple[str, ...] = ("id",)
    announced: Callable[[Json], bool] = lambda _: True
    listed_days: int | None = None


def _edges(table: str, shape: Json) -> list[Row]:
    return [hubspot_rows.link(edge) for edge in shape["_links"][table]]


def _crm(name: str, one: str, row: Callable[..., Row], *, links: Sequence[str] = (), stages: str = "") -> _Stream:
    """A stream of CRM records: `links` are the types at the other ends of its associations, singular and plural;
    `stages` names the table of its stages and the column of the stage."""
    key = f"{one}_id"
    children: dict[str, Any] = {f"{one}_merges": ((key, "merged_id"), lambda o: hubspot_rows.merges(o, key))}
    collections = {}
    for pair in links:
        other, others = pair.split("/")
        table = f"{one}_{others}"
        collections[table] = key
        children[table] = ((key, f"{other}_id"), partial(_edges, table))
    if stages:
        table, column = stages.split("/")
        children[table] = (
            (key, "changed_at", column),
            lambda o: hubspot_rows.stage_history(o["id"], o["_stages"], key, column),
        )
    modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    return _Stream("hubspot", name, name, row, children, modified=modified, links=collections, typed=True)


_STREAMS = (
    _Stream("stripe", "customers", "customers", stripe_rows.customer),
    _Stream("stripe", "products", "products", stripe_rows.product),
    _Stream("stripe", "prices", "prices", stripe_rows.price),
    _Stream(
        "stripe",
        "subscriptions",
        "subscriptions",
        stripe_rows.subscription,
        {
            "subscription_items": (("subscription_id", "id"), stripe_rows.subscription_items),
            "subscription_discounts": (("subscription_id", "id"), stripe_rows.subscription_discounts),
        },
    ),
    _Stream(
        "stripe",
        "invoices",
        "invoices",
        stripe_rows.invoice,
        {
            "invoice_lines": (("invoice_id", "id"), stripe_rows.invoice_lines),
            "invoice_discounts": (("invoice_id", "discount_id"), stripe_rows.invoice_discounts),
        },
    ),
    _Stream("stripe", "coupons", "coupons", stripe_rows.coupon),
    _Stream(
        "stripe",
        "invoice_payments",
        "invoice_payments",
        stripe_rows.invoice_payment,
        announced=lambda o: bool(o["status"] == "paid"),
    ),
    _Stream("stripe", "charges", "charges", stripe_rows.charge),
    _Stream("stripe", "refunds", "refunds", stripe_rows.refund),
    _Stream("stripe", "disputes", "disputes", stripe_rows.dispute),
    _Stream(
        "stripe",
        "credit_notes",
        "credit_notes",
        stripe_rows.credit_note,
        {"credit_note_lines": (("credit_note_id", "id"), stripe_rows.credit_note_lines)},
    ),
    _Stream("stripe", "payouts", "payouts", stripe_rows.payout),
    _Stream("stripe", "balance_transactions", "balance_transactions", stripe_rows.balance_transaction, listed_days=14),
    _Stream("stripe", "events", "events", stripe_rows.event, listed_days=1),
    _crm(
        "contacts",
        "contact",
        hubspot_rows.contact,
        links=["company/companies"],
        stages="contact_lifecycle_history/lifecyclestage",
    ),
    _crm("companies", "company", hubspot_rows.company),
    _crm(
        "deals",
        "deal",
        hubspot_rows.deal,
        links=["contact/contacts", "company/companies"],
        stages="deal_stage_history/stage_id",
    ),
    _crm("tickets", "ticket", hubspot_rows.ticket),
    _Stream("hubspot", "owners", "owners", hubspot_rows.owner, whole=True),
    _Stream(
        "hubspot",
        "deal_pipelines",
        "pipelines",
        hubspot_rows.pipeline,
        {"deal_pipeline_stages": (("pipeline_id", "id"), hubspot_rows.deal_pipeline_stages)},
        whole=True,
        has_bin=False,
    ),
    _Stream(
        "hubspot",
        "ticket_pipelines",
        "ticket_pipelines",
        hubspot_rows.pipeline,
        {"ticket_pipeline_stages": (("pipeline_id", "id"), hubspot_rows.ticket_pipeline_stages)},
        whole=True,
        has_bin=False,
    ),
    _Stream(
        "hubspot",
        "properties",
        "properties",
        hubspot_rows.definition,
        whole=True,
        has_bin=False,
        key=("object_type", "name"),
    ),
)
#: The object types whose records are loaded, and so their properties.
_OBJECT_TYPES = tuple(stream.collection for stream in _STREAMS if stream.typed)


@dataclass
class _Held:
    """A record as the raw table holds it."""

    object: Json
    deleted: bool
    #: When it was read last.
    at: datetime


def expected_raw(books: Books, loads: Sequence[Load]) -> dict[str, Table]:
    """Every raw table after `loads`, which are in order of time: table -> key -> row.

    A row has the table's own columns, typed as BigQuery's client returns them, and `_deleted`: whether it must be a
    tombstone. The other system columns are the pipeline's own affair.
    """
    tables: dict[str, Table] = {}
    for stream in _STREAMS:
        held: dict[str, _Held] = {}
        for load in loads:
            if load.source == stream.source and load.stream in (None, stream.name):
                _replay(books, stream, load, held)
        rows_ = [_row(books, stream, record) for record in held.values()]
        tables[f"{stream.source}_{stream.name}"] = {tuple(row[part] for part in stream.key): row for row in rows_}
        for name, (key, rows) in stream.children.items():
            tables[f"{stream.source}_{name}"] = {
                tuple(row[part] for part in key): row | {"_deleted": record.deleted}
                for record in held.values()
                for row in rows(record.object)
            }
    return tables


def _row(books: Books, stream: _Stream, record: _Held) -> Row:
    given = (books.catalogue(stream.collection, record.at),) if stream.typed else ()
    return stream.row(record.object, *given) | {"_deleted": record.deleted}


def _now(books: Books, stream: _Stream, moment: datetime) -> Mapping[str, Entry]:
    """What there is; of properties those of the object types whose records are loaded."""
    now = books.at(stream.collection, moment)
    if stream.collection != "properties":
        return now
    return {id_: entry for id_, entry in now.items() if entry.object["objectType"] in _OBJECT_TYPES}


def _replay(books: Books, stream: _Stream, load: Load, held: dict[str, _Held]) -> None:
    now = _now(books, stream, load.observed_at)
    axis, start = _asked_for(stream, load)
    if axis == "changed":
        found = _touched(books, stream, load, now)
    else:

        def inside(shape: Json) -> bool:
            return axis == "whole" or start <= _created(stream, shape) < load.end

        found = {id_ for id_, entry in now.items() if inside(entry.object) and entry.gone != "archived"}
        for id_, record in held.items():
            if inside(record.object) and (id_ not in found or now[id_].gone is not None):
                record.deleted = True
    for id_ in found:
        _take(books, stream, load, held, now[id_])
    if stream.source == "hubspot" and stream.has_bin:
        for entry in now.values():
            if entry.gone == "archived":
                _take(books, stream, load, held, entry)


def _asked_for(stream: _Stream, load: Load) -> tuple[str, datetime]:
    """The axis that a load really has for a stream, and where its window starts."""
    if stream.whole or (stream.source == "hubspot" and load.axis == "created" and load.start <= FIRST_DAY):
        return "whole", load.start
    axis, start = load.axis, load.start
    if stream.listed_days is not None and axis == "changed":
        axis, start = "created", min(load.start, load.end - timedelta(days=1 + stream.listed_days))
    return axis, max(start, load.observed_at - EVENT_DAYS) if stream.name == "events" else start


def _touched(books: Books, stream: _Stream, load: Load, now: Mapping[str, Entry]) -> set[str]:
    if stream.source == "stripe":
        before_end = books.at(stream.collection, load.end - INSTANT)
        touched = {
            id_
            for id_, entry in before_end.items()
            if entry.updated >= load.start and (entry.gone is not None or stream.announced(entry.object))
        }
        # What the window created is listed, announced or not.
        listed = {id_ for id_, entry in now.items() if load.start <= _created(stream, entry.object) < load.end}
        return touched | {id_ for id_ in listed if now[id_].gone is None}
    return {
        id_
        for id_, entry in now.items()
        if entry.gone is None and load.start <= _moment(entry.object["properties"][stream.modified]) < load.end
    }


def _take(books: Books, stream: _Stream, load: Load, held: dict[str, _Held], entry: Entry) -> None:
    """Load one record that the API was asked for."""
    archived_at = entry.object.get("archivedAt")
    purged = archived_at is not None and _moment(archived_at) <= load.observed_at - BIN_DAYS
    if entry.gone not in (None, "archived") or purged:
        if entry.id in held:
            held[entry.id].deleted = True
        return
    shape = entry.object
    if stream.links:
        shape = shape | {"_links": {name: _links(books, name, key, entry, load) for name, key in stream.links.items()}}
    if stream.source == "stripe":
        shape = _with_discounts(books, load, shape)
    held[entry.id] = _Held(shape | {"_stages": entry.stages}, entry.gone == "archived", load.observed_at)
    merged = hubspot_rows.merges(shape, "id") if stream.typed else []
    for row in merged:
        if row["merged_id"] in held:
            held[row["merged_id"]].deleted = True


def _links(books: Books, name: str, key: str, entry: Entry, load: Load) -> list[Json]:
    """The associations of a record that lives; in the recycle bin it has none."""
    if entry.gone:
        return []
    found = books.at(name, load.observed_at).values()
    return [edge.object for edge in found if edge.gone is None and edge.object[key] == entry.id]


def _with_discounts(books: Books, load: Load, shape: Json) -> Json:
    """A subscription or invoice as the API shows it when it is asked to expand the discounts."""

    def expanded(id_: str) -> Json:
        entry = books.at("discounts", load.observed_at)[id_]
        return entry.object if entry.gone is None else {"id": id_, "object": "discount", "deleted": True}

    if shape["object"] == "subscription" and shape["discounts"]:
        return shape | {"discounts": [expanded(id_) for id_ in shape["discounts"]]}
    if shape["object"] == "invoice" and shape["total_discount_amounts"]:
        parts = [part | {"discount": expanded(part["discount"])} for part in shape["total_discount_amounts"]]
        return shape | {"total_discount_amounts": parts}
    return shape


def _created(stream: _Stream, shape: Json) -> datetime:
    if stream.source == "stripe":
        moment = epoch(shape["created"])
        assert moment is not None
        return moment
    return _moment(shape["properties"]["createdate"] if "properties" in shape else shape["createdAt"])


def _moment(text: str) -> datetime:
    moment = iso(text)
    assert moment is not None
    return moment
