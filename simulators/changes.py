"""Changes to the world by hand, from the clock's now on: what the control API and some faults do."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from simulators.simulation import Simulation
from simulators.world.build import LINK_COLLECTIONS
from simulators.world.crm_edits import kind_named
from simulators.world.crm_types import KINDS
from simulators.world.moments import SECOND, iso
from simulators.world.resources import NOW, Resource
from simulators.world.store import Collection, JsonObject


class ChangeError(Exception):
    """An error of the caller; answered with `status` and the message."""

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
    before = last.object if last and not last.gone else {}
    resource = simulation.resources.get(name)
    if resource:
        now -= now % SECOND
        if last is not None:
            now = max(now, last.at)
        shape = _stripe_object(resource, id, {**before, **given} if merge else given, before, now, _any(collection))
        created = shape["created"] * SECOND
    else:
        shape = {**(before if merge else {}), **given, "id": id}
        stamps = {"createdAt": before.get("createdAt", iso(now)), "updatedAt": iso(now), "archived": False}
        shape, created = {**stamps, **shape, "updatedAt": iso(now)}, now
    new = last is None or last.gone is not None
    index = collection.create(id, now, shape, created=created) if new else collection.change(id, now, shape)
    if resource:
        _announce(simulation, resource, resource.created if new else resource.updated, now, id, index, shape)
    return shape


def _any(collection: Collection) -> JsonObject | None:
    """Some object of a collection."""
    record = next(iter(collection.records.values()), None)
    return record.versions[-1].object if record else None


def delete_object(simulation: Simulation, name: str, id: str, *, for_good: bool = False) -> None:
    """Deletes (Stripe), archives (HubSpot) or unlinks an object at the clock.

    Stripe's objects that can only be ended, such as subscriptions, are ended, unless it is `for_good`.
    """
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
    else:
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


def _stripe_object(
    resource: Resource, id: str, shape: JsonObject, before: JsonObject, now: int, like: JsonObject | None
) -> JsonObject:
    created = shape.get("created", before.get("created", now // SECOND))
    # Some kinds of objects have neither.
    usual = {"livemode": False, "metadata": {}}
    shape = {**{key: usual[key] for key in usual if not like or key in like}, **shape}
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


def _two_ids(id: str) -> tuple[str, str]:
    source, _, target = id.partition(":")
    if not (source.isdigit() and target.isdigit()):
        raise ChangeError(f"the id of an association is two ids with a colon between, not {id!r}")
    return source, target
