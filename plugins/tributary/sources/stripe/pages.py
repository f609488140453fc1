"""Lists, page by page: of a collection, of events, and of what is nested in a record."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, ApiError, HeavyError, MissingError, ShapeError
from tributary.api.size import Size
from tributary.contracts.model import Child, Contract
from tributary.sources.base import Page, landed
from tributary.sources.stripe.shapes import Head, HeadPage, Nested
from tributary.windows import Window

log = logging.getLogger(__name__)

PAGE_SIZE = 100
EXPAND = "expand[]"
#: So often a page may repeat an earlier one, or be empty and promise more, before the walk gives up.
_PATIENCE = 5
#: So many records of one walk may be set aside because they can't be read whole; of more, the API is what is wrong.
MOST_SET_ASIDE = 10


class UnsettledError(ApiError):
    """A list that doesn't come to an end, or to another one than it says."""


class Listed(NamedTuple):
    """A page. `bare`: it only came without what was to be expanded."""

    answer: Answer
    page: Any
    bare: bool


def pages(
    api: ApiClient,
    path: str,
    page_type: Any,
    params: Mapping[str, Any],
    after: str | None = None,
    family: str = "default",
) -> Iterator[Listed]:
    """Every page of a list behind the object `after`.

    A page that ends where an earlier one ended, or that is empty but promises more, is asked for again; one that
    doesn't come whole is asked for in smaller pieces, in the end without what is expanded.

    Raises:
        UnsettledError: the paging runs in a circle.
        HeavyError: not even a single object could be had.
        MissingError: the object that the walk stood on is gone.
    """
    ends = {after} if after else set()
    strange = 0
    size = Size(PAGE_SIZE, dropping=EXPAND)
    while True:
        asked = {**params, "starting_after": after} if after else params
        answer, page = api.get(path, page_type, size.of(asked), family=family, lighter=size.lighter(asked))
        bare = size.delivered()
        end = last_id(page.data)
        if end in ends or (end is None and page.has_more):
            strange += 1
            api.counts["repeated pages"] += 1
            if strange > _PATIENCE:
                where = f"again and again with {end}" if end else "without an object, and promise more"
                raise UnsettledError(
                    f"GET {path} answered {strange} pages behind {after or 'the beginning'} that end {where}: the "
                    f"paging runs in a circle (connection {api.connection}); nothing was loaded, the task's next "
                    "attempt asks again"
                )
            continue
        yield Listed(answer, page, bare)
        if not page.has_more or end is None:
            return
        ends.add(end)
        after = end


def last_id(records: list[Any]) -> str | None:
    """The id that the next page begins behind: of the last record that has one."""
    return next((record.key for record in reversed(records) if record.key), None)


def nested_pages(api: ApiClient, contract: Contract, record: Any, again: list[str]) -> Iterator[tuple[Page, int]]:
    """The further pages of the lists that are cut off in a record, each with its number of items.

    Where a list can't be read to its end, the last page says so, and the record is set aside when it is flattened. Its
    id is put into `again` if the record may be whole when it is read once more.
    """
    for child in contract.children:
        head = getattr(record, child.path, None) if child.follow else None
        if not isinstance(head, Nested) or head.has_more is not True or record.key is None:
            continue
        try:
            yield from _rest(api, contract, child, record, head)
        except (MissingError, UnsettledError, ShapeError, HeavyError) as error:
            set_aside(api, f"{contract.name} {record.key}: its {child.path} can't be read to the end", error)
            if not isinstance(error, HeavyError):
                again.append(record.key)
            nothing = msgspec.Raw(b'{"data":[]}')
            key = record.key
            yield (
                Page(
                    observed_at=datetime.now(UTC), body=nothing, items="data", child=child.stream, parent=key,
                    incomplete=(key,),
                ),
                0,
            )  # fmt: skip
            return


def _rest(api: ApiClient, contract: Contract, child: Child, record: Any, head: Nested) -> Iterator[tuple[Page, int]]:
    path = str(head.url).partition("?")[0]
    # The list of a subscription's items is a collection of its own and wants the subscription as a parameter.
    inside = record.key in unquote(path)
    params = {} if inside else {contract.request.get("object", contract.stream[:-1]): record.key}
    seen = {item.key for item in head.data}
    for answer, page, _ in pages(api, path, HeadPage, params, last_id(head.data)):
        seen |= {item.key for item in page.data}
        yield landed(answer, items="data", child=child.stream, parent=record.key), len(page.data)
    if isinstance(head.total_count, int) and head.total_count != len(seen):
        raise UnsettledError(f"GET {path} answered {len(seen)} items, expected {head.total_count}")


def set_aside(api: ApiClient, what: str, error: ApiError) -> None:
    """Count and tell a record that is set aside.

    Raises:
        ApiError: there are too many of them.
    """
    api.counts["records set aside"] += 1
    if api.counts["records set aside"] > MOST_SET_ASIDE:
        raise ApiError(
            f"{what} ({error}); so it was with {MOST_SET_ASIDE} records before, so the API is what has to be looked at"
        ) from None
    log.warning("%s (%s); it is set aside as a reject", what, error)


def single_params(contract: Contract) -> dict[str, Any]:
    """Parameters for one object: its expansions, without the list's `data.` before them."""
    expand = [path.removeprefix("data.") for path in contract.request.get("expand", [])]
    return {EXPAND: expand} if expand else {}


def list_params(contract: Contract, window: Window | None) -> dict[str, Any]:
    """Parameters for the collection, cut to what was created in the window."""
    params = dict(contract.request.get("params", {}))
    if expand := contract.request.get("expand"):
        params[EXPAND] = expand
    return params | (created_in(window) if window else {})


def created_in(window: Window) -> dict[str, Any]:
    return {"created[gte]": int(window.start.timestamp()), "created[lt]": int(window.end.timestamp())}


def ids(records: list[Head]) -> tuple[str, ...]:
    """The ids that there are."""
    return tuple(record.key for record in records if record.key)
