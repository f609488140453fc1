"""The history of property values, told by the versions of a record."""

from __future__ import annotations

from collections.abc import Iterable

from simulators.world.moments import iso
from simulators.world.store import JsonObject, Record

#: Properties that an integration writes, not a person.
_INTEGRATED = ("customer_status", "hs_is_closed", "hs_is_closed_won", "num_associated_contacts")


def history(record: Record, names: Iterable[str], clock: int) -> JsonObject:
    """Every value that each property has had up to `clock`, newest first. A cleared value is an empty text."""
    found: dict[str, list[JsonObject]] = {name: [] for name in names}
    for version in record.versions:
        if version.at > clock:
            break
        properties = version.object["properties"]
        for name, values in found.items():
            value = properties.get(name)
            if value is None and not values:
                continue
            text = value or ""
            if not values or values[-1]["value"] != text:
                values.append({"value": text, "timestamp": iso(version.at), **_source(name)})
    return {name: values[::-1] for name, values in found.items()}


def _source(name: str) -> JsonObject:
    if name in _INTEGRATED:
        return {"sourceType": "INTEGRATION", "sourceId": "1184203", "sourceLabel": "Billing bridge"}
    return {"sourceType": "CRM_UI", "sourceId": "userId:4910901", "updatedByUserId": 4_910_901}
