"""Reading what a request asks for: object types, lists of names, limits, inputs of a batch."""

from __future__ import annotations

from typing import Any

from simulators.hubspot.errors import HubSpotError, bad_request
from simulators.world.crm_types import ALIASES, OBJECT_TYPES, Kind
from simulators.world.store import JsonObject


def kind_of(name: str) -> Kind:
    """The object type of a path; HubSpot takes singular, plural and number, of a custom object the qualified name."""
    kind = ALIASES.get(name)
    if kind is None:
        raise HubSpotError(400, f"Unable to infer object type from: {name}")
    return kind


def singular(kind: str) -> str:
    return OBJECT_TYPES[kind].singular


def batch_inputs(body: Any, most: int) -> list[JsonObject]:
    """The inputs of a batch. A body without any is fine: it does nothing."""
    if not isinstance(body, dict):
        raise bad_request("Invalid input JSON on line 1, column 1: expected an object")
    inputs = body.get("inputs") or []
    if not isinstance(inputs, list) or not all(isinstance(given, dict) for given in inputs):
        raise bad_request("Invalid input JSON: inputs must be a list of objects")
    if len(inputs) > most:
        raise bad_request(f"Batch size must be at most {most}, got {len(inputs)}")
    return inputs


def names_in(body: Any, key: str) -> list[str]:
    """A list of names in a body."""
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise bad_request(f"Invalid input JSON: {key} must be a list of strings")
    return found


def split(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def flag(text: str | None) -> bool:
    return (text or "").lower() == "true"


def positive(text: str | None, default: int, name: str) -> int:
    if text is None or text == "":
        return default
    if not text.isdigit():
        raise bad_request(f"Unable to parse value for query parameter: {name}")
    return int(text)
