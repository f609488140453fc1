"""The ground truth: every object ever created up to an instant, straight from the store's versions.

This deliberately shares nothing with the code that lists, searches or derives events: what the pipeline
loaded is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulators.simulation import Simulation
from simulators.stripe.events import event_books
from simulators.world.build import World
from simulators.world.crm_properties import property_object
from simulators.world.moments import iso
from simulators.world.store import Collection, Record

#: The property of each HubSpot collection whose former values the books tell, too.
STAGES = {"contacts": "lifecyclestage", "deals": "dealstage"}


def world_books(world: World, name: str, at: int, on_test_clocks: bool = False) -> Iterator[dict[str, Any]]:
    """The books of a collection; `properties` is HubSpot's catalogue, with the object type in each definition, `events`
    are Stripe's in the shape of an account that never moved to a new version."""
    if name == "events":
        yield from event_books(Simulation(world, at), at)
        return
    if name != "properties":
        yield from books(world.store[name], at, on_test_clocks)
        return
    for kind, known in world.properties.items():
        for property in known.values():
            if property.created <= at:
                created = iso(property.created)
                line = {"id": f"{kind}.{property.name}", "created": created, "updated": created, "deleted_at": None}
                yield {**line, "gone": None, "object": {**property_object(property), "objectType": kind}}


def books(collection: Collection, at: int, on_test_clocks: bool = False) -> Iterator[dict[str, Any]]:
    """Yields `{id, created, updated, deleted_at, object}` per object, in the order of creation.

    `object` is the last one that was seen, complete. `deleted_at` is null unless it has been deleted, archived or
    merged away; then `gone` says which, and `merged_into` names what became of it. Objects on Stripe's test clocks
    are no part of the account's business and are left out, unless `on_test_clocks`. `stages` are the values that the
    record's stage (see STAGES) has had, oldest first.
    """
    stage = STAGES.get(collection.name)
    for record in sorted(collection.records.values(), key=lambda record: (record.created, record.id)):
        seen = [version for version in record.versions if version.at <= at]
        if not seen:
            continue
        last = seen[-1]
        shape = last.object
        if shape.get("test_clock") and not on_test_clocks:
            continue
        yield {
            "id": record.id,
            "created": iso(last.created),
            "updated": iso(last.at),
            "deleted_at": iso(last.at) if last.gone else None,
            "gone": last.gone,
            "merged_into": last.into,
            "object": shape,
            **({"stages": _values(record, stage, at)} if stage else {}),
        }


def _values(record: Record, name: str, at: int) -> list[dict[str, str]]:
    """Each value of a property with the moment that it came; one that was taken away is an empty text."""
    found: list[dict[str, str]] = []
    for version in record.versions:
        value = version.object["properties"].get(name)
        if version.at <= at and (found or value is not None) and (not found or found[-1]["value"] != (value or "")):
            found.append({"value": value or "", "timestamp": iso(version.at)})
    return found
