"""The form of HubSpot's records and owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.world.crm_properties import PROPERTIES
from simulators.world.crm_types import OBJECT_TYPES, PORTAL_ID, Kind
from simulators.world.moments import iso
from simulators.world.store import JsonObject

_BLANK: dict[str, dict[str, None]] = {kind: dict.fromkeys(sorted(known)) for kind, known in PROPERTIES.items()}


@dataclass(slots=True)
class Entity:
    """A record while the world is generated. `properties` holds only what has a value."""

    kind: Kind
    id: str
    created: int
    modified: int
    properties: dict[str, str] = field(default_factory=dict)
    archived_at: int | None = None
    gone: bool = False
    apart: bool = False
    """Whether the office's routine passes it by, so that it changes nothing for the others."""


def entity_object(entity: Entity) -> JsonObject:
    return record_object(entity.kind, entity.id, entity.properties, entity.created, entity.modified, entity.archived_at)


def record_object(
    kind: str, id: str, properties: Mapping[str, str | None], created: int, modified: int, archived_at: int | None
) -> JsonObject:
    """The full object: every property of the first catalogue is there, null without a value."""
    type = OBJECT_TYPES[kind]
    known: dict[str, str | None] = {**_BLANK[kind], **properties}
    known["hs_object_id"] = id
    known[type.created] = iso(created)
    known[type.modified] = iso(modified)
    shape: JsonObject = {
        "id": id,
        "properties": known,
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{type.id}/{id}",
    }
    if archived_at is not None:
        shape["archivedAt"] = iso(archived_at)
    return shape


def owner_object(id: int, first: str, last: str, created: int, modified: int, archived: bool) -> JsonObject:
    """An owner; one who was removed has lost the user id."""
    shape: JsonObject = {
        "id": str(id),
        "email": f"{first}.{last}@tributary.example".lower(),
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
    }
    if not archived:
        shape["userId"] = id + 4_000_000
    return {
        **shape,
        "userIdIncludingInactive": id + 4_000_000,
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived,
        "teams": [{"id": "178588", "name": "Sales", "primary": True}] if id % 2 else [],
    }
