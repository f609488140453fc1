"""The records created in a window, and how many there may be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tributary.api.client import ApiClient
from tributary.api.size import Size
from tributary.contracts.model import Contract
from tributary.sources.base import Checkpoint, Extent, Walk, landed
from tributary.sources.stripe.objects import Count, all_fetched
from tributary.sources.stripe.pages import EXPAND, PAGE_SIZE, ids, last_id, list_params, nested_pages, pages
from tributary.sources.stripe.shapes import record_types
from tributary.windows import Window

_DAY = timedelta(days=1)


def listed(
    api: ApiClient, contract: Contract, window: Window | None, cursor: dict[str, Any], seen: set[str] | None = None
) -> Walk:
    """The collection, newest first; all of it where there is no window. Puts the ids into `seen`.

    Raises:
        MissingError: the record that the walk stood on was deleted meanwhile, so the window has to be read anew.
    """
    if cursor.get("done"):
        return
    _, page_type = record_types(contract)
    params = list_params(contract, window)
    for answer, page, bare in pages(api, contract.request["path"], page_type, params, cursor.get("starting_after")):
        yield landed(answer, items="data", incomplete=ids(page.data) if bare else ())
        if seen is not None:
            seen.update(ids(page.data))
        found = Count(sum(not record.is_stub for record in page.data))
        again: list[str] = []
        for record in page.data:
            for child_page, count in nested_pages(api, contract, record, again):
                found = found.plus(Count(children=count))
                yield child_page
        # Records of a page are followed by their nested lists, so another reading comes behind all of them.
        found = found.plus((yield from all_fetched(api, contract, again)))
        if page.data:
            yield Checkpoint({"starting_after": last_id(page.data), "done": not page.has_more}, *found)


def extent(api: ApiClient, contract: Contract, window: Window) -> Extent | None:
    """The oldest record of the window, found by halving the time that may hold it, and an estimate of how many there
    are, from how much time the newest page takes up."""
    _, page_type = record_types(contract)
    size = Size(PAGE_SIZE, dropping=EXPAND)

    def newest(before: datetime, limit: int) -> tuple[Any, list[int | None]]:
        size.limit = limit
        params = list_params(contract, Window(window.start, before))
        found = api.get(contract.request["path"], page_type, size.of(params), lighter=size.lighter(params))[1]
        return found, [record.moment for record in found.data]

    page, moments = newest(window.end, PAGE_SIZE)
    first, last = (moments[0], moments[-1]) if moments else (None, None)
    if first is None or last is None:
        return None
    low, high = window.start, _moment(last)
    if not page.has_more:
        return Extent(high, len(page.data))
    took = max(_moment(first) - high, timedelta(seconds=1))
    newest_of_all = _moment(first)
    while high - low > _DAY:
        middle = low + (high - low) / 2
        _, older = newest(middle, 1)
        if older and older[0] is not None:
            high = _moment(older[0])
        else:
            low = middle
    return Extent(high, int(len(page.data) * ((newest_of_all - high) / took)))


def _moment(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
