"""JSON values as BigQuery's client returns them: what a cell of each type must be equal to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_NO_DECIMALS = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
_THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}


def places(currency: str) -> int:
    """How many decimals a currency has, by Stripe's list."""
    return 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2


def major(amount: int, currency: str) -> Decimal:
    """Minor to major units."""
    return Decimal(amount).scaleb(-places(currency))


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
    """HubSpot's moments: ISO text, a day (its midnight, UTC) or milliseconds. An empty text is no value."""
    if not value:
        return None
    if value.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(value) // 1000, UTC).replace(microsecond=int(value) % 1000 * 1000)
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def number(value: str | None) -> Decimal | None:
    """HubSpot's numbers are text, with commas where people typed them."""
    return Decimal(value.replace(",", "")) if value else None


def whole(value: str | int | None) -> int | None:
    """A whole number, as text or as number."""
    return None if value is None or value == "" else int(value)


def several(value: str | None) -> list[str] | None:
    """The options of a multi-select, `a;b`."""
    return None if value is None else [part for part in value.split(";") if part]


def truth(value: str | bool | None) -> bool | None:
    """HubSpot's booleans are text in properties and metadata, and booleans elsewhere."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value] if value else None
