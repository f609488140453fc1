"""What changed in a window: the event feed says which objects were touched, and each is read again in full."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, MissingError
from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.sources.base import Checkpoint, Page, Walk, landed
from tributary.sources.stripe.listing import listed
from tributary.sources.stripe.pages import created_in, gone, nested_pages, pages, single_params
from tributary.sources.stripe.shapes import EventPage, record_types
from tributary.windows import Window, stamp

#: /v1/events forgets what is older.
FEED_END = timedelta(days=30)
_TYPES = 20
"""Event types that one request may name."""


class _Touched(msgspec.Struct):
    """The objects that the events of a window name."""

    ids: set[str] = msgspec.field(default_factory=set)
    #: When an event said that the object was deleted, epoch seconds.
    deleted: dict[str, int] = msgspec.field(default_factory=dict)


def changed(api: ApiClient, contract: Contract, window: Window, cursor: dict[str, Any]) -> Walk:
    """The objects that events in the window touch, as they are now: events carry an older shape, and ten nested items.

    What was created in the window is listed, a hundred at a time, which also brings what nobody announced; the rest is
    fetched one by one, in order of id.
    """
    touched = _touched(api, contract, window)
    rest = touched.ids
    if "after" not in cursor:
        seen: set[str] = set()
        for step in listed(api, contract, window, cursor, seen):
            # The end of the listing is not the end of the walk: an attempt that goes on there has the objects to fetch.
            at_end = isinstance(step, Checkpoint) and step.cursor["done"]
            yield msgspec.structs.replace(step, cursor={"after": ""}) if at_end else step
        yield Checkpoint({"after": ""}, 0)
        # An attempt that goes on in the middle doesn't know all that the listing held, so it fetches every object.
        if not cursor:
            rest = rest - seen | touched.deleted.keys()
    for id_ in sorted(id_ for id_ in rest if id_ > cursor.get("after", "")):
        yield from _fetched(api, contract, id_, touched.deleted.get(id_))


def _fetched(api: ApiClient, contract: Contract, id_: str, deleted: int | None) -> Iterator[Page | Checkpoint]:
    """One object in full; what is not there any more, or was deleted after it had been created, is gone."""
    record_type, _ = record_types(contract)
    try:
        answer, record = api.get(f"{contract.request['path']}/{id_}", record_type, single_params(contract))
    except MissingError as error:
        yield from _gone(id_, error.answer)
        return
    # The same id can be given out again (a coupon's is chosen by people): then the object is younger than the deletion.
    if deleted is not None and not record.deleted and (record.created or 0) < deleted:
        yield from _gone(id_, answer)
        return
    yield landed(answer)
    children = 0
    for child_page, count in nested_pages(api, contract, record):
        children += count
        yield child_page
    yield Checkpoint({"after": id_}, int(not record.deleted), children, int(record.deleted))


def _gone(id_: str, answer: Answer) -> Iterator[Page | Checkpoint]:
    yield Page(observed_at=answer.observed_at, body=gone(id_), gone=True)
    yield Checkpoint({"after": id_}, 0, gone=1)


def _touched(api: ApiClient, contract: Contract, window: Window) -> _Touched:
    """What the events of the window name. Every page is read before the first id counts.

    Raises:
        RefusedError: the feed has forgotten a part of the window by now.
    """
    touched = _Touched()
    deletions = set(contract.request.get("deleted", ()))
    types = contract.request["events"]
    for first in range(0, len(types), _TYPES):
        params = created_in(window) | {"types[]": types[first : first + _TYPES]}
        for answer, page in pages(api, "/v1/events", EventPage, params, family="events"):
            if window.start < answer.source_now - FEED_END:
                raise RefusedError(
                    f"{contract.name}: {window} begins before {stamp(answer.source_now - FEED_END)}, where the event "
                    "feed ends; nothing was read. Clear the plan task: it lists such a window by creation date"
                )
            for event in page.data:
                if (id_ := event.data.object.id) is None:
                    continue
                touched.ids.add(id_)
                if event.type in deletions:
                    touched.deleted[id_] = max(event.created, touched.deleted.get(id_, 0))
    return touched
