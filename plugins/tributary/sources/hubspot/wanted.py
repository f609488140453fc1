"""Decides which properties of an object type to request, and by list, search or batch."""

from collections.abc import Callable, Container, Iterable
from typing import TypeVar
from urllib.parse import quote

import msgspec

from tributary.contracts.model import Contract
from tributary.errors import RefusedError

T = TypeVar("T")

PROPERTIES, HISTORY = "properties.", "propertiesWithHistory."
#: Names longer than this in a query string end in 414 somewhere on the way; HubSpot gives no number.
URL_ROOM = 7_000
#: The most records that HubSpot returns at once, and with the history of a property.
PAGE, PAGE_WITH_HISTORY = 100, 50


class Wanted(msgspec.Struct, frozen=True):
    """The properties to ask for, and those of them to ask for with their history."""

    names: tuple[str, ...]
    history: tuple[str, ...] = ()

    def without(self, names: Container[str]) -> "Wanted":
        own, history = ([name for name in given if name not in names] for given in (self.names, self.history))
        return Wanted(tuple(own), tuple(history))

    @property
    def fits_in_url(self) -> bool:
        """Return True if a list request can name them: commas separate names there, and a URL has a maximum length."""
        names = (*self.names, *self.history)
        return not any("," in name for name in names) and sum(len(quote(n, safe="")) + 3 for n in names) <= URL_ROOM

    @property
    def page(self) -> int:
        return PAGE_WITH_HISTORY if self.history else PAGE

    @property
    def params(self) -> dict[str, str]:
        """For a list."""
        params = {"properties": ",".join(self.names)} if self.names else {}
        return params | ({"propertiesWithHistory": ",".join(self.history)} if self.history else {})

    @property
    def body(self) -> dict[str, list[str]]:
        """For a batch/read."""
        body = {"properties": list(self.names)}
        return body | ({"propertiesWithHistory": list(self.history)} if self.history else {})


class Wish:
    """The properties that a walk requests: all that are wanted, less those that the portal's own catalogue doesn't name
    and the token may not see (a property kept as sensitive)."""

    def __init__(self, wanted: Wanted, catalogue: Container[str], tell: Callable[[Iterable[str]], None]) -> None:
        self.wanted = wanted
        #: Properties of the contract that the catalogue doesn't name.
        self.unknown = [name for name in (*wanted.names, *wanted.history) if name not in catalogue]
        self._tell = tell

    def asked(self, ask: Callable[[Wanted], T]) -> T:
        """One answer, asked for again without the properties that no catalogue names when it is refused with them."""
        try:
            return ask(self.wanted)
        except RefusedError:
            if not self.unknown:
                raise
            less = self.wanted.without(self.unknown)
            answer = ask(less)
        # It was indeed because of them.
        self.wanted, unknown = less, self.unknown
        self.unknown = []
        self._tell(unknown)
        return answer


def wanted(contract: Contract, catalogue: Iterable[str]) -> Wanted:
    """The properties that the contract names and, if it has a column for the rest, all others of the catalogue."""
    paths = [path for column in contract.columns for path in column.path] + list(contract.merged_ids)
    names = [path.removeprefix(PROPERTIES) for path in paths if path.startswith(PROPERTIES)]
    if wants_rest(contract):
        names += catalogue
    history = [child.path.removeprefix(HISTORY) for child in contract.children if child.path.startswith(HISTORY)]
    return Wanted(tuple(dict.fromkeys(names)), tuple(history))


def wants_rest(contract: Contract) -> bool:
    """True if a `rest` column of the contract takes the properties that no other column names."""
    return any(column.as_ == "rest" for column in contract.columns)


def property_of(contract: Contract, column: str) -> str:
    """The property that a column is read from."""
    found = next(c for c in contract.columns if c.name == column)
    return found.path[0].removeprefix(PROPERTIES)
