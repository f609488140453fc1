"""Events out of the store's log: what changed, and how the object looked right after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simulators.simulation import Simulation
from simulators.stripe.errors import API_VERSION
from simulators.stripe.legacy import old_shape, version_at
from simulators.stripe.lists import Row
from simulators.stripe.present import present
from simulators.world.moments import DAY, SECOND, iso
from simulators.world.store import EventEntry, JsonObject, Version

#: How far back the list of events reaches.
HORIZON = 30 * DAY
_ABSENT = object()


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


def event_id(simulation: Simulation, entry: EventEntry) -> str:
    return simulation.world.ids.stripe("event", entry.collection, entry.id, entry.version, entry.type)


def event_object(simulation: Simulation, entry: EventEntry) -> JsonObject:
    """The event, its object in the API version that the account had when it happened."""
    api_version = version_at(entry.at, simulation.upgraded_at)

    def find(collection: str, path: str, value: str) -> JsonObject | None:
        rows = simulation.world.store[collection].snapshot(simulation.clock)
        return next((rows.rows[index].object for index in rows.having(path, value)), None)

    def shown(version: Version) -> JsonObject:
        shape = present(simulation.resources, version.object)
        return shape if api_version == API_VERSION else old_shape(shape, find)

    versions = simulation.world.store[entry.collection].records[entry.id].versions
    version = versions[entry.version]
    data: JsonObject = {"object": shown(version)}
    if entry.type.endswith(".updated") and entry.version > 0:
        data["previous_attributes"] = previous_attributes(shown(versions[entry.version - 1]), data["object"])
    id = event_id(simulation, entry)
    by_hand = entry.type.startswith(("customer.", "product.", "price.", "coupon."))
    return {
        "id": id,
        "object": "event",
        "api_version": api_version,
        "created": entry.at // SECOND,
        "data": data,
        "livemode": simulation.world.account.livemode,
        "pending_webhooks": 0,
        "request": {
            "id": simulation.world.ids.stripe("request", id) if by_hand else None,
            "idempotency_key": None,
        },
        "type": entry.type,
    }


class EventRows:
    """The events that the list shows at the clock, newest first, in no meaningful order within a second."""

    def __init__(self, simulation: Simulation) -> None:
        clock = simulation.clock
        log = simulation.world.store.events_between(clock - HORIZON, clock)
        entries = [(event_id(simulation, entry), entry) for entry in log]
        entries.sort(key=lambda pair: (-(pair[1].at // SECOND), pair[0]))
        self.types = [entry.type for _, entry in entries]
        self.rows = [Row(id, entry.at // SECOND, _renderer(simulation, entry)) for id, entry in entries]
        self.position = {row.id: index for index, row in enumerate(self.rows)}
        self.by_created = [-row.created for row in self.rows]


def _renderer(simulation: Simulation, entry: EventEntry) -> Callable[[], JsonObject]:
    return lambda: event_object(simulation, entry)


def event_books(simulation: Simulation, at: int) -> Iterator[JsonObject]:
    """Every event ever announced up to an instant, in the form of the other books; the list forgets, these don't."""
    for entry in simulation.world.store.events_between(-1, at):
        shape, moment = event_object(simulation, entry), iso(entry.at)
        row = {"id": shape["id"], "created": moment, "updated": moment}
        yield {**row, "deleted_at": None, "gone": None, "merged_into": None, "object": shape}
