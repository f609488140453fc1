"""Reads the changes of a window: the event feed names the touched objects, and each is read again in full."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from tributary.api.client import TOO_LONG, ApiClient, InvalidError
from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.sources.base import Checkpoint, Walk
from tributary.sources.stripe.listing import listed
from tributary.sources.stripe.objects import fetched
from tributary.sources.stripe.pages import Listed, created_in, pages
from tributary.sources.stripe.shapes import EventPage
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
        found = yield from fetched(api, contract, id_, touched.deleted.get(id_))
        yield Checkpoint({"after": id_}, *found)


def _events(api: ApiClient, window: Window, types: list[str]) -> Iterator[Listed]:
    """The events of these types; half of them at a time where their names are too long for a URL."""
    try:
        yield from pages(api, "/v1/events", EventPage, created_in(window) | {"types[]": types}, family="events")
    except InvalidError as error:
        if error.status not in TOO_LONG or len(types) == 1:
            raise
        middle = len(types) // 2
        yield from _events(api, window, types[:middle])
        yield from _events(api, window, types[middle:])


def _touched(api: ApiClient, contract: Contract, window: Window) -> _Touched:
    """Return the ids in the events of the window. Every page is read before the first id counts.

    Raises:
        RefusedError: the feed has forgotten a part of the window by now.
    """
    touched = _Touched()
    deletions = set(contract.request.get("deleted", ()))
    types = contract.request["events"]
    for first in range(0, len(types), _TYPES):
        for answer, page, _ in _events(api, window, types[first : first + _TYPES]):
            if window.start < answer.source_now - FEED_END:
                raise RefusedError(
                    f"{contract.name}: {window} begins before {stamp(answer.source_now - FEED_END)}, where the event "
                    "feed ends; nothing was read. Clear the plan task: it lists such a window by creation date"
                )
            for event in page.data:
                if (id_ := event.data.object.key) is None:
                    continue
                touched.ids.add(id_)
                if event.type in deletions:
                    moment = event.moment or int(window.end.timestamp())
                    touched.deleted[id_] = max(moment, touched.deleted.get(id_, 0))
    return touched
