"""Defines the interface of a source module."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from tributary.api.answers import Answer, Judgement
from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.windows import Window


class Page(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One answer of the API, as it is landed: a line of a landing object."""

    observed_at: datetime
    #: The answer itself, its white space removed and otherwise as received.
    body: msgspec.Raw
    #: Name of the array in `body` that holds the records; None when `body` is one record.
    items: str | None = None
    #: For a further page of a nested list: the child stream and the id of the parent that the items belong to.
    child: str | None = None
    parent: str | None = None
    #: For associations read in bulk: items are `{from: {id}, to: [...]}` of the page before.
    associations: bool = False
    #: The items are ids of records that are gone.
    gone: bool = False
    #: What the request says about the items and they don't say themselves; laid over each of them.
    given: dict[str, str] = {}
    #: Records with something nested in them that could not be read: they are set aside. On a further page of a nested
    #: list, its parent.
    incomplete: tuple[str, ...] = ()
    #: The items define fields of the account's own, for the pages that follow.
    definitions: bool = False
    #: Where the answer holds what no JSON decoder takes: all of it as received, a character for each byte. `body` has a
    #: mark there (`api.mending`), and records with one are set aside.
    received: str = ""


class Checkpoint(msgspec.Struct):
    """Everything up to here has been yielded; the walk can go on from `cursor`."""

    cursor: dict[str, Any]
    records: int
    children: int = 0
    gone: int = 0
    #: Parts of a collection that could not be read: what is missing from the walk proves no deletion.
    unread: tuple[str, ...] = ()


Walk = Iterator[Page | Checkpoint]


class Extent(msgspec.Struct, frozen=True):
    """A rough size of a window, by which the first load cuts a history into chunks."""

    oldest: datetime
    records: int


class Source(Protocol):
    """One API."""

    name: str
    api_version: str
    #: How far back the source still knows what changed; None: without end.
    feed_memory: timedelta | None
    #: Whether a listing goes by ids and can't be cut by time: one from the first day on holds every record there is.
    lists_by_id: bool

    def spacing(self, client: Client) -> Mapping[str, float]:
        """Seconds between two requests of one task, by API family; see `concurrency.spacing`."""

    @property
    def token_path(self) -> str | None:
        """The path that renews OAuth tokens; None without OAuth."""

    def headers(self) -> dict[str, str]:
        """Headers of every request, the API version among them."""

    def judge(self, answer: Answer) -> Judgement:
        """Return the verdict on an answer."""

    def check_account(self, api: ApiClient, client: Client, livemode: bool | None) -> datetime:
        """Refuse a connection that leads to another account or mode; returns the source's clock."""

    def account_currency(self, api: ApiClient) -> str | None:
        """The currency that the account reports in, lower case; None where the source has none or doesn't say."""

    def extent(self, api: ApiClient, contract: Contract, window: Window) -> Extent | None:
        """The records created in the window; None if there are none, or if a listing can't be cut by time."""

    def covered_until(
        self, contract: Contract, axis: Axis, window: Window, client: Client, source_now: datetime
    ) -> datetime:
        """Up to where the window can be read by now: its end, or earlier where the source answers late."""

    def walk(
        self,
        api: ApiClient,
        contract: Contract,
        axis: Axis,
        window: Window,
        client: Client,
        cursor: dict[str, Any],
        ids: Sequence[str] = (),
    ) -> Walk:
        """The records with these ids, then every page of the window; from `cursor` on (empty: from the beginning)."""

    def stub_id(self, record: Mapping[str, Any]) -> str | None:
        """The id of a record that is only the notice of a deletion; None for a real record."""

    def deleted_at(self, record: Mapping[str, Any]) -> str | None:
        """Return when a full record was archived, an empty text if that isn't said, None if it is alive."""

    @property
    def erase(self) -> Callable[[ApiClient, str], None] | None:
        """Erases a person's record by its id, for good; one that isn't there is fine. None where no API does it."""

    @property
    def erase_by_hand(self) -> str:
        """Return the manual step for an erasure that the API can't do, or the credential may not."""

    def conversions(self, definitions: Iterable[Mapping[str, Any]]) -> Mapping[str, Callable[[Any], Any]]:
        """Return converters for the account's own fields, by name; they raise UnfitError. Others stay as they are."""


def landed(answer: Answer, **fields: Any) -> Page:
    """An answer as it is landed."""
    received = answer.received.decode("latin-1")
    return Page(observed_at=answer.observed_at, body=compact(answer.body), received=received, **fields)


def compact(body: bytes) -> msgspec.Raw:
    """JSON without white space, so that it fits on one line."""
    return msgspec.Raw(msgspec.json.format(body, indent=-1))
