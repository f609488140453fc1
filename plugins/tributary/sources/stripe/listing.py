"""The records created in a window, and how many there may be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tributary.api.client import ApiClient
from tributary.contracts.model import Contract
from tributary.sources.base import Checkpoint, Extent, Walk, landed
from tributary.sources.stripe.pages import list_params, nested_pages, pages
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
    for answer, page in pages(api, contract.request["path"], page_type, params, cursor.get("starting_after")):
        yield landed(answer, items="data")
        if seen is not None:
            seen.update(record.id for record in page.data)
        children = 0
        for record in page.data:
            for child_page, count in nested_pages(api, contract, record):
                children += count
                yield child_page
        if page.data:
            records = sum(not record.deleted for record in page.data)
            yield Checkpoint({"starting_after": page.data[-1].id, "done": not page.has_more}, records, children)


def extent(api: ApiClient, contract: Contract, window: Window) -> Extent | None:
    """The oldest record of the window, found by halving the time that may hold it, and an estimate of how many there
    are, from how much time the newest page takes up."""
    _, page_type = record_types(contract)
    path = contract.request["path"]

    def newest(before: datetime, limit: int) -> Any:
        params = list_params(contract, Window(window.start, before)) | {"limit": limit}
        return api.get(path, page_type, params)[1]

    page = newest(window.end, 100)
    if not page.data or any(record.created is None for record in page.data):
        return None
    low, high = window.start, _moment(page.data[-1].created)
    if not page.has_more:
        return Extent(high, len(page.data))
    took = max(_moment(page.data[0].created) - high, timedelta(seconds=1))
    last = _moment(page.data[0].created)
    while high - low > _DAY:
        middle = low + (high - low) / 2
        if older := newest(middle, 1).data:
            high = _moment(older[0].created)
        else:
            low = middle
    return Extent(high, int(len(page.data) * ((last - high) / took)))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
