"""Changes to the world by hand, from the clock's now on: what the control API and some faults do."""

from __future__ import annotations

from typing import Any

from include.simulators.simulation import Simulation
from include.simulators.world.build import LINK_COLLECTIONS, STRIPE_COLLECTIONS
from include.simulators.world.crm_edits import kind_named
from include.simulators.world.crm_types import KINDS
from include.simulators.world.moments import SECOND, iso
from include.simulators.world.store import JsonObject

_EVENT_NAMES = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "subscriptions": "customer.subscription",
    "invoices": "invoice",
}


class ChangeError(Exception):
    """What the caller got wrong; answered with `status` and the message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def put_object(simulation: Simulation, name: str, id: str, given: Any, *, merge: bool = False) -> JsonObject:
    """Inserts or replaces an object from the clock on and drops the future that was generated for it.

    With `merge`, the given keys (for HubSpot: properties) are laid over the object as it is. Returns the object.
    """
    if not isinstance(given, dict):
        raise ChangeError("the body must be an object")
    store, now = simulation.world.store, simulation.clock
    if name in KINDS:
        changes = given.get("properties", given)
        created = given.get("createdAt")
        return simulation.crm.put(kind_named(name), id, changes, now, over=merge, created=created)
    if name in LINK_COLLECTIONS:
        return simulation.crm.link(name, *_two_ids(id), now, types=given.get("types"))
    collection = store[name]
    store.forget_after(name, id, now)
    record = collection.records.get(id)
    last = record.versions[-1] if record else None
    before = last.object if last else {}
    if name in STRIPE_COLLECTIONS:
        now -= now % SECOND
        if last is not None:
            now = max(now, last.at)
        shape = _stripe_object(name, id, {**before, **given} if merge else given, before, now)
        created = shape["created"] * SECOND
    else:
        shape = {**(before if merge else {}), **given, "id": id}
        stamps = {"createdAt": before.get("createdAt", iso(now)), "updatedAt": iso(now), "archived": False}
        shape, created = {**stamps, **shape, "updatedAt": iso(now)}, now
    if record is None:
        collection.create(id, now, shape, created=created)
        index = 0
    else:
        index = collection.change(id, now, shape)
    if name in STRIPE_COLLECTIONS:
        kind = "created" if index == 0 else "updated"
        store.announce(now, f"{_EVENT_NAMES[name]}.{kind}", name, id, index)
    return shape


def delete_object(simulation: Simulation, name: str, id: str) -> None:
    """Deletes (Stripe), cancels (subscriptions), archives (HubSpot) or unlinks an object at the clock."""
    store, now = simulation.world.store, simulation.clock
    if name in KINDS or name in LINK_COLLECTIONS:
        try:
            if name in KINDS:
                simulation.crm.archive(kind_named(name), id, now)
            else:
                simulation.crm.unlink(name, *_two_ids(id), now)
        except LookupError as error:
            raise ChangeError(str(error), 404) from None
        return
    store.forget_after(name, id, now)
    record = store[name].records.get(id)
    if record is None or record.versions[-1].gone:
        raise ChangeError(f"no {name[:-1]} {id}", 404)
    now = max(now - now % SECOND if name in STRIPE_COLLECTIONS else now, record.versions[-1].at)
    shape = record.versions[-1].object
    if name == "subscriptions":
        over = {"status": "canceled", "canceled_at": now // SECOND, "ended_at": now // SECOND}
        index = store[name].change(id, now, {**shape, **over})
        store.announce(now, "customer.subscription.deleted", name, id, index)
    elif name in STRIPE_COLLECTIONS:
        index = store[name].remove(id, now, "deleted")
        store.announce(now, f"{_EVENT_NAMES[name]}.deleted", name, id, index)
    else:
        archived = {**shape, "archived": True, "updatedAt": iso(now), "archivedAt": iso(now)}
        store[name].remove(id, now, "archived", archived)


def _stripe_object(name: str, id: str, shape: JsonObject, before: JsonObject, now: int) -> JsonObject:
    fixed = {"id": id, "object": name[:-1], "created": shape.get("created", before.get("created", now // SECOND))}
    shape = {"livemode": False, "metadata": {}, **shape, **fixed}
    for list_name, url in (
        ("lines", f"/v1/invoices/{id}/lines"),
        ("items", f"/v1/subscription_items?subscription={id}"),
    ):
        inner = shape.get(list_name)
        if isinstance(inner, list):
            # A plain array is wrapped into the list object it has to be.
            shape[list_name] = {
                "object": "list",
                "data": inner,
                "has_more": False,
                "total_count": len(inner),
                "url": url,
            }
    return {"id": id, "object": name[:-1], **{key: shape[key] for key in sorted(shape) if key not in ("id", "object")}}


def _two_ids(id: str) -> tuple[str, str]:
    source, _, target = id.partition(":")
    if not (source.isdigit() and target.isdigit()):
        raise ChangeError(f"the id of an association is two ids with a colon between, not {id!r}")
    return source, target
