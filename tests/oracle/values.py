"""JSON values as BigQuery's client returns them: what a cell of each type must be equal to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def pick(value: Any, *path: str) -> Any:
    """The value at a path of keys, None where anything on the way is null or absent."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def first(*values: Any) -> Any:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)


def reference(value: Any) -> Any:
    """Stripe's "id or object or null" as an id."""
    return value["id"] if isinstance(value, Mapping) else value


def epoch(value: int | None) -> datetime | None:
    """Stripe's seconds since 1970."""
    return None if value is None else datetime.fromtimestamp(value, UTC)


def iso(value: str | None) -> datetime | None:
    """HubSpot's ISO text, where an empty text is no value."""
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def number(value: str | None) -> Decimal | None:
    """HubSpot's numbers are text."""
    return Decimal(value) if value else None


def whole(value: str | int | None) -> int | None:
    """A whole number, as text or as number."""
    return None if value is None or value == "" else int(value)


def truth(value: str | bool | None) -> bool | None:
    """HubSpot's booleans are text in properties and metadata, and booleans elsewhere."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value] if value else None
