"""What is read of HubSpot's answers on the way; the rest goes to the lake as it came."""

import msgspec


class Portal(msgspec.Struct, rename="camel"):
    """The account behind a token."""

    portal_id: int
    time_zone: str = "UTC"


class Id(msgspec.Struct):
    """Anything with an id."""

    id: str


class Next(msgspec.Struct):
    """Where the next page begins; opaque."""

    after: str


class Paging(msgspec.Struct):
    """Absent on the last page."""

    next: Next | None = None

    @property
    def after(self) -> str | None:
        return self.next.after if self.next else None


class Problem(msgspec.Struct, rename="camel"):
    """What a batch could not do."""

    category: str | None = None
    sub_category: str | None = None
    #: Lists of texts by name; which names there are is not documented.
    context: dict[str, list[str]] = {}


class Results(msgspec.Struct, rename="camel"):
    """A page of a list or search, or the answer to a batch/read."""

    results: list[Id]
    paging: Paging | None = None
    #: Of searches: the records that match, on all pages together.
    total: int | None = None
    errors: list[Problem] = []

    @property
    def after(self) -> str | None:
        return self.paging.after if self.paging else None


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
    """What one record is associated with: one page of it."""

    from_: Id = msgspec.field(name="from")
    to: list[msgspec.Raw]
    paging: Paging | None = None


class Associations(msgspec.Struct):
    """The answer to a batch/read of associations."""

    results: list[Edges]
    errors: list[Problem] = []
