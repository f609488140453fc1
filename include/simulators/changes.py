"""Changes to the world by hand, from the clock's now on: what the control API and some faults do."""

from __future__ import annotations

from typing import Any

from include.simulators.simulation import Simulation
from include.simulators.world.build import LINK_COLLECTIONS, STRIPE_COLLECTIONS
from include.simulators.world.crm import LINKS, link_object
from include.simulators.world.crm_shapes import KINDS, MODIFIED, PORTAL_ID, PROPERTIES, TYPE_IDS
from include.simulators.world.moments import SECOND, iso, parse
from include.simulators.world.store import JsonObject

_EVENT_NAMES = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "subscriptions": "customer.subscription",
    "invoices": "invoice",
}
_LINK_KINDS = {link[0]: (source, target, link[1], link[2]) for (source, target), link in LINKS.items()}


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
    elif name in KINDS:
        shape = _crm_object(name, id, given, before if merge else {}, before, now)
        created = parse(shape["createdAt"])
    elif name in LINK_COLLECTIONS:
        shape, created = _link(name, id, given), now
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
    if name in LINK_COLLECTIONS:
        _touch(simulation, name, id)
    return shape


def delete_object(simulation: Simulation, name: str, id: str) -> None:
    """Deletes (Stripe), cancels (subscriptions), archives (HubSpot) or unlinks an object at the clock."""
    store, now = simulation.world.store, simulation.clock
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
    elif name in LINK_COLLECTIONS:
        store[name].remove(id, now, "deleted")
        _touch(simulation, name, id)
    else:
        if name in KINDS:
            _unlink_all(simulation, name, id)
            shape = _crm_object(name, id, {}, shape, shape, now)
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


def _crm_object(name: str, id: str, given: JsonObject, base: JsonObject, before: JsonObject, now: int) -> JsonObject:
    changes = given.get("properties", given)
    known: JsonObject = {**dict.fromkeys(sorted(PROPERTIES[name])), **base.get("properties", {})}
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise ChangeError(f"{name} have no property {', '.join(unknown)}")
    known |= {key: None if value in (None, "") else str(value) for key, value in changes.items()}
    created = given.get("createdAt") or before.get("createdAt") or iso(now)
    known |= {"hs_object_id": id, "createdate": created, MODIFIED[name]: iso(now)}
    return {
        "id": id,
        "properties": known,
        "createdAt": created,
        "updatedAt": iso(now),
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{TYPE_IDS[name]}/{id}",
    }


def _link(name: str, id: str, given: JsonObject) -> JsonObject:
    source, target, _, _ = _LINK_KINDS[name]
    source_id, _, target_id = id.partition(":")
    if not (source_id.isdigit() and target_id.isdigit()):
        raise ChangeError(f"the id of an association is two ids with a colon between, not {id!r}")
    shape = link_object(source, target, source_id, target_id, False)
    return {**shape, "types": given.get("types", shape["types"])}


def _touch(simulation: Simulation, link_name: str, link_id: str) -> None:
    """A deal whose contacts change counts them anew and so is modified."""
    source, _, source_field, _ = _LINK_KINDS[link_name]
    source_id = link_id.partition(":")[0]
    store = simulation.world.store
    record = store[source].records.get(source_id)
    if source != "deals" or record is None or record.versions[-1].gone:
        return
    links = store[link_name].snapshot(simulation.clock).rows
    count = sum(1 for row in links if row.object[source_field] == source_id)
    given = {"num_associated_contacts": str(count)} if link_name == "deal_contacts" else {}
    put_object(simulation, source, source_id, given, merge=True)


def _unlink_all(simulation: Simulation, name: str, id: str) -> None:
    for link_name, (source, target, source_field, target_field) in _LINK_KINDS.items():
        field = source_field if source == name else target_field if target == name else None
        if field is None:
            continue
        for row in list(simulation.world.store[link_name].snapshot(simulation.clock).rows):
            if row.object[field] == id:
                delete_object(simulation, link_name, row.id)
