"""HubSpot's search: filters, one sort, pages by offset, and never more than ten thousand results."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import msgspec

from simulators.hubspot.errors import bad_request
from simulators.hubspot.filters import filter_test, groups_in, value_of
from simulators.hubspot.objects import chosen_properties, rendered
from simulators.hubspot.parameters import names_in
from simulators.simulation import Simulation
from simulators.world.crm_properties import Property
from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.store import JsonObject, Live, Snapshot

MAX_LIMIT = 200
DEFAULT_LIMIT = 10
MAX_RESULTS = 10_000
MAX_BODY = 3_000
#: Results of the last searches of a snapshot that are kept, so that a walk filters once and not once a page.
_KEPT = 8
#: Bounds of a keyset walk; they are cut out of the kept results instead of filtering again.
_BOUNDS = ("GT", "GTE", "LT", "LTE")


def search(simulation: Simulation, kind: str, body: Any, size: int) -> JsonObject:
    """Answers a search request; raises HubSpotError on what HubSpot refuses. `size` is the body's, in characters."""
    if not isinstance(body, dict):
        raise bad_request("Invalid input JSON on line 1, column 1: expected an object")
    if size > MAX_BODY:
        raise bad_request(f"The request body is longer than {MAX_BODY} characters")
    limit = body.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise bad_request(f"limit must be between 1 and {MAX_LIMIT}, got {limit}")
    offset = _offset(body.get("after"))
    if offset + limit > MAX_RESULTS:
        raise bad_request(f"Search can only page through {MAX_RESULTS} results: after {offset}, limit {limit}")
    known = simulation.world.properties[kind]
    # The index shows the world as it was a while ago; archived records are never in it.
    snapshot = simulation.world.store[kind].snapshot(simulation.clock - simulation.search_lag)
    found = _Found(kind, known, snapshot, body)
    names = chosen_properties(kind, known, names_in(body, "properties"))
    answer: JsonObject = {
        "total": found.total,
        "results": [rendered(row.object, names) for row in found.page(offset, limit)],
    }
    if offset + limit < found.total:
        answer["paging"] = {"next": {"after": str(offset + limit)}}
    return answer


class _Found:
    """All results of a search, in order."""

    def __init__(self, kind: str, known: dict[str, Property], snapshot: Snapshot, body: JsonObject) -> None:
        name, descending = _sort(kind, known, body.get("sorts") or [])
        groups = groups_in(body)
        query = str(body.get("query") or "").lower()
        low, high = 0, None
        if name == "hs_object_id" and not descending and len(groups) == 1:
            groups, low, high = _without_bounds(groups)
        # Wrong filters are told before anything else, also those that are cut out.
        tests = [[filter_test(kind, known, given) for given in group] for group in groups]
        key = msgspec.json.encode([groups, query, name, descending])
        kept: dict[bytes, list[Live]] = snapshot.derived.setdefault("searches", {})
        rows = kept.get(key)
        if rows is None:
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
            rows = kept[key] = [row for row in snapshot.rows if _matches(row, tests) and _mentions(row, query)]
            _order(kind, known[name], rows, descending)
        self._rows = rows
        self._start = bisect_left(rows, low, key=_id) if low else 0
        self._end = len(rows) if high is None else bisect_left(rows, high, key=_id)

    @property
    def total(self) -> int:
        return max(0, self._end - self._start)

    def page(self, offset: int, limit: int) -> list[Live]:
        start = self._start + offset
        return self._rows[start : min(start + limit, self._end)]


def _id(row: Live) -> int:
    return int(row.id)


def _without_bounds(groups: list[list[Any]]) -> tuple[list[list[Any]], int, int | None]:
    """The filters without those that only bound the id, and the bounds [low, high)."""
    low, high, rest = 0, None, []
    for given in groups[0]:
        bounds = isinstance(given, dict) and given.get("propertyName") == "hs_object_id"
        text = str(given.get("value")) if bounds else ""
        if not bounds or given.get("operator") not in _BOUNDS or not text.isdigit():
            rest.append(given)
            continue
        bound = int(text) + (given["operator"] in ("GT", "LTE"))
        if given["operator"] in ("GT", "GTE"):
            low = max(low, bound)
        else:
            high = bound if high is None else min(high, bound)
    return [rest], low, high


def _offset(after: Any) -> int:
    if after in (None, ""):
        return 0
    if not str(after).isdigit():
        raise bad_request(f"Invalid paging cursor: {after}")
    return int(after)


def _matches(row: Live, groups: list[list[Any]]) -> bool:
    return not groups or any(all(test(row) for test in group) for group in groups)


def _mentions(row: Live, query: str) -> bool:
    return not query or any(query in value.lower() for value in row.object["properties"].values() if value)


def _sort(kind: str, known: dict[str, Property], sorts: Any) -> tuple[str, bool]:
    """The property to sort by, and whether descending: the creation date if nothing is asked for."""
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise bad_request("The maximum number of sorts is 1")
    name, descending = OBJECT_TYPES[kind].created, False
    if sorts:
        given = sorts[0]
        if isinstance(given, dict):
            name, descending = str(given.get("propertyName", "")), given.get("direction") == "DESCENDING"
        else:
            name, descending = str(given).lstrip("-"), str(given).startswith("-")
    if name not in known:
        raise bad_request(f"There was a problem with the request: property {name} does not exist")
    return name, descending


def _order(kind: str, property: Property, rows: list[Live], descending: bool) -> None:
    """Sorts in place; records without a value come last. They are in order of id already."""
    if property.name == "hs_object_id" and not descending:
        return
    value = value_of(kind, property)
    keyed = [(value(row), row) for row in rows]
    there = [pair for pair in keyed if pair[0] is not None]
    there.sort(key=lambda pair: pair[0], reverse=descending)
    rows[:] = [row for _, row in there] + [row for found, row in keyed if found is None]
