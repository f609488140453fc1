"""Events out of the store's log: what changed, and how the object looked right after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.simulators.stripe.errors import API_VERSION
from include.simulators.stripe.legacy import old_shape, version_at
from include.simulators.stripe.lists import Row, embedded
from include.simulators.world.build import World
from include.simulators.world.moments import DAY, SECOND
from include.simulators.world.store import EventEntry, JsonObject

#: How far back the list of events reaches.
HORIZON = 30 * DAY
_ABSENT = object()


def present(shape: JsonObject) -> JsonObject:
    """An object as the API shows it: embedded lists cut short. The same inside events."""
    if shape.get("object") == "invoice":
        return embedded(shape, "lines")
    if shape.get("object") == "subscription":
        return embedded(shape, "items")
    return shape


def previous_attributes(before: JsonObject, after: JsonObject) -> JsonObject:
    """The old values of what differs. Objects are compared key by key, lists as a whole; new keys were null."""
    changed: JsonObject = {}
    for key in sorted({*before, *after}):
        old: Any = before.get(key, _ABSENT)
        new: Any = after.get(key, _ABSENT)
        if old is new or old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and key != "metadata":
            changed[key] = previous_attributes(old, new)
        else:
            changed[key] = None if old is _ABSENT else old
    return changed


def event_id(world: World, entry: EventEntry) -> str:
    return world.ids.stripe("event", entry.collection, entry.id, entry.version, entry.type)


def event_object(world: World, entry: EventEntry, upgraded_at: int | None = None) -> JsonObject:
    """The event, its object in the API version that the account had when it happened."""
    api_version = version_at(entry.at, upgraded_at)
    shown = present if api_version == API_VERSION else lambda shape: old_shape(present(shape))
    versions = world.store[entry.collection].records[entry.id].versions
    version = versions[entry.version]
    data: JsonObject = {"object": shown(version.object)}
    if entry.type.endswith(".updated") and entry.version > 0:
        data["previous_attributes"] = previous_attributes(shown(versions[entry.version - 1].object), data["object"])
    id = event_id(world, entry)
    by_hand = entry.type.startswith(("customer.", "product.", "price."))
    return {
        "id": id,
        "object": "event",
        "api_version": api_version,
        "created": entry.at // SECOND,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": world.ids.stripe("request", id) if by_hand else None, "idempotency_key": None},
        "type": entry.type,
    }


class EventRows:
    """The events that the list shows at one clock, newest first, in no meaningful order within a second."""

    def __init__(self, world: World, clock: int, upgraded_at: int | None) -> None:
        entries = [(event_id(world, entry), entry) for entry in world.store.events_between(clock - HORIZON, clock)]
        entries.sort(key=lambda pair: (-(pair[1].at // SECOND), pair[0]))
        self.types = [entry.type for _, entry in entries]
        self.rows = [Row(id, entry.at // SECOND, _renderer(world, entry, upgraded_at)) for id, entry in entries]
        self.position = {row.id: index for index, row in enumerate(self.rows)}
        self.by_created = [-row.created for row in self.rows]


def _renderer(world: World, entry: EventEntry, upgraded_at: int | None) -> Callable[[], JsonObject]:
    return lambda: event_object(world, entry, upgraded_at)
