"""What Stripe's own SDK says of objects and requests, for those that the reference of the API leaves out."""

from __future__ import annotations

from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe.params import WebhookEndpointCreateParams

Schema = dict[str, Any]
_PLAIN = {int: "integer", bool: "boolean", str: "string", float: "number"}


def object_schema(kind: type[Any]) -> Schema:
    """JSON schema of one class of the SDK: every field is there, and no other."""
    fields = {name: hint for name, hint in kind.__annotations__.items() if name != "OBJECT_NAME"}
    return {
        "type": "object",
        "properties": {name: {"anyOf": [_schema(part) for part in _parts(hint)]} for name, hint in fields.items()},
        "required": sorted(fields),
        "additionalProperties": False,
    }


def field_types(kind: type[Any], above: str = "") -> dict[str, str]:
    """Dotted path -> type of every field, in the words of the reference."""
    found = {}
    for name, schema in object_schema(kind)["properties"].items():
        parts = [part for part in schema["anyOf"] if part != {"type": "null"}]
        kinds = {part["type"] for part in parts}
        found[above + name] = "id|expandable" if kinds == {"string", "object"} else kinds.pop()
        for hint in _parts(kind.__annotations__[name]):
            if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
                found |= field_types(hint, f"{above}{name}.")
    return found


def event_types() -> set[str]:
    """Every type of event that a webhook can ask for."""
    [hint] = get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    return set(get_args(hint))


def parameters(request: type[Any]) -> set[str]:
    """What a request takes, the settings of the client left out."""
    return set(request.__annotations__) - set(stripe.RequestOptions.__annotations__)


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Union else (hint,)


def _schema(hint: Any) -> Schema:
    if hint is NoneType:
        return {"type": "null"}
    if get_origin(hint) is Literal:
        return {"type": "string"}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, ForwardRef) or get_origin(hint):  # another resource in the place of its id, or free keys
        return {"type": "object"}
    return object_schema(hint)
