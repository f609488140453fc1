"""Search: the ids of the records whose date lies in a fixed window, none of them missed.

A bulk edit gives any number of records one timestamp and a search ends after 10,000 results, so time can't be paged by;
but an id is never shared. The walk goes up the ids in segments, and counts each segment again before its records are
read: the index answers late, and records move while one looks.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tributary.api.client import ApiClient, ApiError
from tributary.sources.hubspot.answers import Results
from tributary.windows import Window

log = logging.getLogger(__name__)

PAGE = 200
#: Pages between two counts. Fewer cost requests; more give a busy portal time to move.
SEGMENT = 10
ATTEMPTS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = "hs_object_id"


class UnsettledError(ApiError):
    """The number of records in a fixed window changed again and again while they were read."""


class _Round(msgspec.Struct):
    """One attempt at a segment."""

    before: int
    ids: list[str]
    #: The segment ends with the window.
    last: bool
    after: int = -1

    def __str__(self) -> str:
        return f"{self.before} to read, {len(self.ids)} read, {self.after} counted after"


class Search:
    """The records of one object type whose `property` lies in the window."""

    def __init__(self, api: ApiClient, path: str, property_: str, window: Window) -> None:
        self._api = api
        self._path = path
        self._property = property_
        self._window = window

    def segments(self, after: str = "0") -> Iterator[list[str]]:
        """The ids above `after`, ascending, some at a time.

        Raises:
            UnsettledError: three times in a row a segment held another number of records before than after.
        """
        while True:
            segment = self._segment(after)
            yield segment.ids
            if segment.last or not segment.ids:
                return
            after = segment.ids[-1]

    def _segment(self, after: str) -> _Round:
        rounds: list[_Round] = []
        while len(rounds) < ATTEMPTS:
            found = self._walk(after)
            # The last segment is counted up to the end of the ids, since a late record may have a higher one.
            found.after = self._count(after, None if found.last or not found.ids else found.ids[-1])
            if found.after == len(found.ids):
                return found
            rounds.append(found)
            self._api.counts["segments read again"] += 1
            log.warning("POST %s: %s, behind id %s; reading again", self._path, found, after)
        told = "; ".join(f"attempt {number}: {found}" for number, found in enumerate(rounds, start=1))
        raise UnsettledError(
            f"POST {self._path} with connection {self._api.connection}: the records with {self._property} in "
            f"{self._window} and an id above {after} don't settle ({told}); nothing was loaded. The index lags behind, "
            "or somebody edits them in bulk: run it again later, or raise index_lag in the contract"
        )

    def _walk(self, after: str) -> _Round:
        ids: list[str] = []
        before = None
        for _ in range(SEGMENT):
            page = self._ask(after, None, PAGE)
            before = page.total if before is None else before
            # A page that comes twice or empty is neither counted twice nor taken for the end.
            ids += [key for key in page.keys if key.isdigit() and int(key) > int(after)]
            if page.after is None:
                return _Round(before or 0, ids, last=True)
            after = ids[-1] if ids else after
        return _Round(before or 0, ids, last=False)

    def _count(self, above: str, up_to: str | None) -> int:
        return self._ask(above, up_to, 1).total or 0

    def _ask(self, above: str, up_to: str | None, limit: int) -> Results:
        filters = [
            {"propertyName": self._property, "operator": "GTE", "value": _milliseconds(self._window.start)},
            {"propertyName": self._property, "operator": "LT", "value": _milliseconds(self._window.end)},
            {"propertyName": _ID, "operator": "GT", "value": above},
        ]
        if up_to is not None:
            filters.append({"propertyName": _ID, "operator": "LTE", "value": up_to})
        body: dict[str, Any] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": _ID, "direction": "ASCENDING"}],
            "properties": [_ID],
            "limit": limit,
        }
        return self._api.post(self._path, Results, body, family="search")[1]


def _milliseconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(milliseconds=1))
