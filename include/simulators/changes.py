"""Changes to the world by hand, from the clock's now on: what the control API and some faults do."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from include.simulators.simulation import Simulation
from include.simulators.world.build import LINK_COLLECTIONS
from include.simulators.world.crm import LINKS, link_object
from include.simulators.world.crm_shapes import KINDS, MODIFIED, PORTAL_ID, PROPERTIES, TYPE_IDS
from include.simulators.world.moments import SECOND, iso, parse
from include.simulators.world.resources import NOW, Resource
from include.simulators.world.store import JsonObject

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
    before = last.object if last and not last.gone else {}
    resource = simulation.resources.get(name)
    if resource:
        now -= now % SECOND
        if last is not None:
            now = max(now, last.at)
        shape = _stripe_object(resource, id, {**before, **given} if merge else given, before, now)
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
    new = last is None or last.gone is not None
    index = collection.create(id, now, shape, created=created) if new else collection.change(id, now, shape)
    if resource:
        _announce(simulation, resource, resource.created if new else resource.updated, now, id, index, shape)
    if name in LINK_COLLECTIONS:
        _touch(simulation, name, id)
    return shape


def delete_object(simulation: Simulation, name: str, id: str, *, for_good: bool = False) -> None:
    """Deletes (Stripe), archives (HubSpot) or unlinks an object at the clock.

    Stripe's objects that can only be ended, such as subscriptions, are ended, unless it is `for_good`.
    """
    store, now = simulation.world.store, simulation.clock
    store.forget_after(name, id, now)
    record = store[name].records.get(id)
    if record is None or record.versions[-1].gone:
        raise ChangeError(f"no {name[:-1]} {id}", 404)
    resource = simulation.resources.get(name)
    now = max(now - now % SECOND if resource else now, record.versions[-1].at)
    shape = record.versions[-1].object
    if resource and resource.ends and not for_good:
        over = {key: now // SECOND if value == NOW else value for key, value in resource.ends.items()}
        index = store[name].change(id, now, {**shape, **over})
        _announce(simulation, resource, resource.deleted, now, id, index, shape)
    elif resource:
        index = store[name].remove(id, now, "deleted")
        _announce(simulation, resource, () if resource.ends else resource.deleted, now, id, index, shape)
    elif name in LINK_COLLECTIONS:
        store[name].remove(id, now, "deleted")
        _touch(simulation, name, id)
    else:
        if name in KINDS:
            _unlink_all(simulation, name, id)
            shape = _crm_object(name, id, {}, shape, shape, now)
        archived = {**shape, "archived": True, "updatedAt": iso(now), "archivedAt": iso(now)}
        store[name].remove(id, now, "archived", archived)


def add_collection(simulation: Simulation, name: str, given: Any) -> JsonObject:
    """Has Stripe serve one more collection, described by the fields of `Resource`. Returns its description."""
    if not isinstance(given, dict):
        raise ChangeError("the body must be an object")
    unknown = given.keys() - {each.name for each in fields(Resource)}
    if unknown:
        raise ChangeError(f"a collection has no {', '.join(sorted(unknown))}")
    try:
        resource = msgspec.convert({**given, "name": name}, Resource)
        simulation.resources.add(resource)
    except (msgspec.ValidationError, ValueError) as error:
        raise ChangeError(str(error)) from None
    simulation.world.add_collection(name)
    found: JsonObject = msgspec.to_builtins(resource)
    return found


def _announce(
    simulation: Simulation,
    resource: Resource,
    types: tuple[str, ...],
    at: int,
    id: str,
    version: int,
    shape: JsonObject,
) -> None:
    if shape.get("status") in resource.quiet:
        return
    for type in types:
        name = type.format(status=shape.get("status"))
        simulation.world.store.announce(at, name, resource.name, id, version)


def _stripe_object(resource: Resource, id: str, shape: JsonObject, before: JsonObject, now: int) -> JsonObject:
    created = shape.get("created", before.get("created", now // SECOND))
    shape = {"livemode": False, "metadata": {}, **shape}
    for name, nested in resource.nested.items():
        inner = shape.get(name)
        if isinstance(inner, list):
            # A plain array is wrapped into the list object it has to be.
            url = f"{nested.path}?{nested.by}={id}" if nested.path else f"/v1/{resource.name}/{id}/{name}"
            wrapped = {"object": "list", "data": inner, "has_more": False, "total_count": len(inner), "url": url}
            shape[name] = wrapped
    shape = {**shape, "created": created}
    rest = {key: shape[key] for key in sorted(shape) if key not in ("id", "object")}
    return {"id": id, "object": resource.object, **rest}


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
