"""As little of Stripe's answers as a walk needs; everything else passes by undecoded.

What a walk goes by is read leniently: a record that is not as the API says is for its contract to judge, and must not
hold up the page that it is on.
"""

from functools import lru_cache
from typing import Any

import msgspec

from tributary.api.answers import id_text
from tributary.contracts.model import Contract


class Account(msgspec.Struct):
    id: str
    default_currency: str | None = None


class Head(msgspec.Struct):
    """The fields that any record begins with."""

    id: Any = None
    created: Any = None
    deleted: Any = False

    @property
    def key(self) -> str | None:
        """The id as text; None where there is none."""
        return id_text(self.id)

    @property
    def moment(self) -> int | None:
        """Time of creation in epoch seconds; None if no field says it."""
        return seconds(self.created)

    @property
    def is_stub(self) -> bool:
        """True if it is only the notice of a deletion."""
        return self.deleted is True and self.key is not None


class Nested(msgspec.Struct):
    """The head of a list that is embedded in a record."""

    data: list[Head] = []
    has_more: Any = False
    url: Any = ""
    total_count: Any = None


class HeadPage(msgspec.Struct):
    data: list[Head]
    has_more: bool


class _EventData(msgspec.Struct):
    object: Head = msgspec.field(default_factory=Head)


class Event(Head):
    type: Any = None
    data: _EventData = msgspec.field(default_factory=_EventData)


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


def seconds(value: Any) -> int | None:
    """Epoch seconds, also of a number that came as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 else None


def record_types(contract: Contract) -> tuple[Any, Any]:
    """The struct of a stream's record (its head, the heads of its nested lists), and of a page of them."""
    return _record_types(contract.stream, tuple(child.path for child in contract.children if child.follow))


@lru_cache(maxsize=64)
def _record_types(stream: str, nested: tuple[str, ...]) -> tuple[Any, Any]:
    # A list that is something else is for the contract to judge as well.
    anything = Nested | list[msgspec.Raw] | str | int | float | bool | None
    record = msgspec.defstruct(f"{stream}_record", [(path, anything, None) for path in nested], bases=(Head,))
    return record, msgspec.defstruct(f"{stream}_page", [("data", list[record]), ("has_more", bool)])  # type: ignore[valid-type]
