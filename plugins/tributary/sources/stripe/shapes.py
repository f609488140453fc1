"""As little of Stripe's answers as a walk needs; everything else passes by undecoded."""

from functools import lru_cache
from typing import Any

import msgspec

from tributary.contracts.model import Contract


class Account(msgspec.Struct):
    id: str
    default_currency: str | None = None


class Id(msgspec.Struct):
    id: str


class Nested(msgspec.Struct):
    """The head of a list that is embedded in a record."""

    data: list[Id] = []
    has_more: bool = False
    url: str = ""
    total_count: int | None = None


class IdPage(msgspec.Struct):
    data: list[Id]
    has_more: bool


class _EventObject(msgspec.Struct):
    id: str | None = None


class _EventData(msgspec.Struct):
    object: _EventObject


class Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _EventData


class EventPage(msgspec.Struct):
    data: list[Event]
    has_more: bool


class Error(msgspec.Struct):
    type: str = ""
    code: str | None = None
    param: str | None = None
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: Error = msgspec.field(default_factory=Error)


def error_of(body: bytes) -> Error:
    """The error object; Stripe answers some 5xx with HTML."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.DecodeError:
        return Error()


def record_types(contract: Contract) -> tuple[Any, Any]:
    """The struct of a stream's record (id, created, deleted, the heads of its nested lists), and of a page of them."""
    return _record_types(contract.stream, tuple(child.path for child in contract.children if child.follow))


@lru_cache(maxsize=64)
def _record_types(stream: str, nested: tuple[str, ...]) -> tuple[Any, Any]:
    fields: list[Any] = [("id", str), ("created", int | None, None), ("deleted", bool, False)]
    record = msgspec.defstruct(f"{stream}_record", fields + [(path, Nested | None, None) for path in nested])
    return record, msgspec.defstruct(f"{stream}_page", [("data", list[record]), ("has_more", bool)])  # type: ignore[valid-type]
