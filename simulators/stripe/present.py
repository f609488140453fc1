"""Objects as the API shows them: long inner lists cut short, some fields only on demand. The same inside events."""

from __future__ import annotations

from simulators.world.resources import Resources
from simulators.world.store import JsonObject

#: How many objects of an inner list are shown inside of their parent.
EMBEDDED = 10
#: A field that hides an object from every list, as Stripe hides prices that were made inline. It is never shown.
UNLISTED = "_unlisted"


def present(resources: Resources, shape: JsonObject) -> JsonObject:
    resource = resources.by_object.get(shape.get("object", ""))
    if resource is None:
        return shape
    if UNLISTED in shape:
        shape = {key: value for key, value in shape.items() if key != UNLISTED}
    for name in resource.nested:
        inner = shape.get(name)
        if isinstance(inner, dict) and len(inner["data"]) > EMBEDDED:
            shape = {**shape, name: {**inner, "data": inner["data"][:EMBEDDED], "has_more": True}}
    if any(name in shape for name in resource.hidden):
        shape = {key: value for key, value in shape.items() if key not in resource.hidden}
    return shape
