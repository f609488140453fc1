"""Lists, page by page: of a collection, of events, and of what is nested in a record."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, ApiError
from tributary.contracts.model import Contract
from tributary.sources.base import Page, landed
from tributary.sources.stripe.shapes import IdPage
from tributary.windows import Window

PAGE_SIZE = 100
#: So often a page may repeat an earlier one, or be empty and promise more, before the walk gives up.
_PATIENCE = 5


def pages(
    api: ApiClient,
    path: str,
    page_type: Any,
    params: Mapping[str, Any],
    after: str | None = None,
    family: str = "default",
) -> Iterator[tuple[Answer, Any]]:
    """Every page of a list behind the object `after`.

    A page that ends where an earlier one ended, or that is empty but promises more, is asked for again.

    Raises:
        ApiError: the paging runs in a circle.
        MissingError: the object that the walk stood on is gone.
    """
    ends = {after} if after else set()
    strange = 0
    while True:
        cursor = {"starting_after": after} if after else {}
        answer, page = api.get(path, page_type, {**params, "limit": PAGE_SIZE, **cursor}, family=family)
        end = page.data[-1].id if page.data else None
        if end in ends or (end is None and page.has_more):
            strange += 1
            api.counts["repeated pages"] += 1
            if strange > _PATIENCE:
                raise ApiError(
                    f"GET {path} answered {strange} pages that lead nowhere: the paging runs in a circle "
                    f"(connection {api.connection}); nothing was loaded, the task's next attempt asks again"
                )
            continue
        yield answer, page
        if not page.has_more or end is None:
            return
        ends.add(end)
        after = end


def nested_pages(api: ApiClient, contract: Contract, record: Any) -> Iterator[tuple[Page, int]]:
    """The further pages of the lists that are cut off in a record, each with its number of items.

    Raises:
        ApiError: a list ended with another number of items than its `total_count`.
    """
    for child in contract.children:
        head = getattr(record, child.path, None) if child.follow else None
        if not head or not head.has_more:
            continue
        path = head.url.partition("?")[0]
        # The list of a subscription's items is a collection of its own and wants the subscription as a parameter.
        params = {} if record.id in path else {contract.request.get("object", contract.stream[:-1]): record.id}
        seen = {item.id for item in head.data}
        for answer, page in pages(api, path, IdPage, params, head.data[-1].id if head.data else None):
            seen |= {item.id for item in page.data}
            yield landed(answer, items="data", child=child.stream, parent=record.id), len(page.data)
        if head.total_count is not None and head.total_count != len(seen):
            raise ApiError(
                f"{contract.name} {record.id}: {child.path} has {len(seen)} items, expected {head.total_count}; "
                "nothing was loaded, the task's next attempt reads the record again"
            )


def single_params(contract: Contract) -> dict[str, Any]:
    """Parameters for one object: its expansions, without the list's `data.` before them."""
    expand = [path.removeprefix("data.") for path in contract.request.get("expand", [])]
    return {"expand[]": expand} if expand else {}


def list_params(contract: Contract, window: Window | None) -> dict[str, Any]:
    """Parameters for the collection, cut to what was created in the window."""
    params = dict(contract.request.get("params", {}))
    if expand := contract.request.get("expand"):
        params["expand[]"] = expand
    return params | (created_in(window) if window else {})


def created_in(window: Window) -> dict[str, Any]:
    return {"created[gte]": int(window.start.timestamp()), "created[lt]": int(window.end.timestamp())}


def gone(id_: str) -> msgspec.Raw:
    """What is landed of an object that is no longer there."""
    return msgspec.Raw(msgspec.json.encode({"id": id_}))
