"""Validates property values as HubSpot does before it writes them."""

from __future__ import annotations

import json
from typing import Any

from simulators.hubspot.errors import HubSpotError, bad_request
from simulators.world.crm_properties import LIFECYCLE, Property
from simulators.world.moments import DAY, parse
from simulators.world.store import JsonObject


def problems(known: dict[str, Property], given: JsonObject) -> list[JsonObject]:
    """Return the errors of each value, in HubSpot's words."""
    return [problem for name, value in given.items() if (problem := _problem(known.get(name), name, value))]


def invalid(found: list[JsonObject]) -> HubSpotError:
    """The 400 about values; its message has the list inside, as JSON."""
    return bad_request(f"Property values were not valid: {json.dumps(found, separators=(',', ':'))}")


def written(known: dict[str, Property], before: JsonObject, given: JsonObject) -> dict[str, str | None]:
    """The values as they are kept: appended options added, a lifecycle stage never moved back."""
    values: dict[str, str | None] = {}
    for name, value in given.items():
        text = None if value is None else _text(value)
        if text and text.startswith(";") and known[name].several:
            parts = [*(before.get(name) or "").split(";"), *text.split(";")]
            text = ";".join(dict.fromkeys(part for part in parts if part))
        if name == "lifecyclestage" and text and before.get(name):
            stages = list(LIFECYCLE)
            if before[name] in stages and stages.index(text) < stages.index(before[name]):
                continue
        values[name] = "" if text is None and before.get(name) is not None else text
    return values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(property: Property | None, name: str, value: Any) -> JsonObject | None:
    if property is None:
        return _wrong(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if property.read_only:
        return _wrong(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if value is None or value == "":
        return None
    if isinstance(value, dict | list):
        return _wrong(name, "INVALID_STRING", f"{value} is not a string")
    text = _text(value)
    if name == "email" and ("@" not in text or " " in text or "." not in text.rpartition("@")[2]):
        return _wrong(name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return _wrong_type(property, text)


def _wrong_type(property: Property, text: str) -> JsonObject | None:
    name, type = property.name, property.type
    if type == "number" and not _is_number(text):
        return _wrong(name, "INVALID_DOUBLE", f"{text} was not a valid number.")
    if type == "bool" and text.lower() not in ("true", "false"):
        return _wrong(name, "INVALID_BOOLEAN", f"{text} was not a valid boolean.")
    if type in ("date", "datetime"):
        at = _instant(text)
        if at is None:
            return _wrong(name, "INVALID_DATE", f"{text} was not a valid long.")
        if type == "date" and at % DAY:
            return _wrong(name, "INVALID_DATE", f"{text} is at a time of day, not midnight UTC.")
    if type == "enumeration" and property.options:
        parts = [part for part in text.split(";") if part] if property.several else [text]
        if not set(parts) <= set(property.options):
            allowed = ", ".join(property.options)
            return _wrong(name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{allowed}]")
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "," not in text and "_" not in text


def _instant(text: str) -> int | None:
    try:
        return int(text) if text.lstrip("-").isdigit() else parse(text)
    except ValueError:
        return None


def _wrong(name: str, error: str, message: str) -> JsonObject:
    return {"isValid": False, "message": message, "error": error, "name": name, "localizedErrorMessage": message}
