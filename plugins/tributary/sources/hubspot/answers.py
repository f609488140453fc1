"""Types for the parts of HubSpot's answers that the walk needs; the rest goes to the lake as received.

Ids and cursors are read leniently: a record that is not as the API says is for its contract to judge, and must not hold
up the page that it is on.
"""

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

import msgspec

from tributary.api.answers import id_text

_KINDS = ("category", "subCategory")


class Portal(msgspec.Struct, rename="camel"):
    """The account behind a token."""

    portal_id: int
    time_zone: str = "UTC"


class Id(msgspec.Struct):
    """Anything with an id."""

    id: Any = None

    @property
    def key(self) -> str | None:
        """The id as text, also of one that came as a number; None where there is none."""
        return id_text(self.id)


class Next(msgspec.Struct):
    """The cursor of the next page; opaque."""

    after: str | int


class Paging(msgspec.Struct):
    """Absent on the last page."""

    next: Next | None = None

    @property
    def after(self) -> str | None:
        return str(self.next.after) if self.next else None


class Problem(NamedTuple):
    """An error within a batch answer. Every field is optional: a failure to read it may not stop the walk."""

    category: str = ""
    sub_category: str = ""
    context: Any = None

    def names(self, asked: Container[str]) -> set[str]:
        """Those of the asked ids that it is about, wherever its context has them."""
        return {text for text in _texts(self.context) if text in asked}


def problems(errors: Any) -> list[Problem]:
    """The problems that an answer tells of, whatever else stands in their place."""
    found = errors if isinstance(errors, list) else [errors] if errors else []
    return [_problem(error) for error in found]


def _problem(error: Any) -> Problem:
    if not isinstance(error, dict):
        return Problem()
    category, sub_category = (text if isinstance(text := error.get(name), str) else "" for name in _KINDS)
    return Problem(category, sub_category, error.get("context"))


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in a value, ids among them."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str | int):
        yield str(value)


class Results(msgspec.Struct, rename="camel"):
    """A page of a list or search, or the answer to a batch/read."""

    results: list[Id]
    paging: Paging | None = None
    #: Of searches: the records that match, on all pages together.
    total: int | None = None
    errors: Any = None

    @property
    def after(self) -> str | None:
        return self.paging.after if self.paging else None

    @property
    def keys(self) -> list[str]:
        """The ids that there are."""
        return [record.key for record in self.results if record.key]


class Anything(msgspec.Struct):
    """A page of records whose ids don't matter."""

    results: list[msgspec.Raw]


class Definition(msgspec.Struct):
    """A property of an object type."""

    name: str


class Catalogue(msgspec.Struct):
    """All properties of an object type."""

    results: list[Definition]


class Edges(msgspec.Struct):
    """One page of a record's associations."""

    from_: Id = msgspec.field(name="from")
    to: list[msgspec.Raw]
    paging: Paging | None = None


class Associations(msgspec.Struct):
    """The answer to a batch/read of associations."""

    results: list[Edges]
    errors: Any = None
