"""HubSpot's search: filters, one sort, pages by offset, and never more than ten thousand results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.simulators.hubspot.errors import bad_request
from include.simulators.hubspot.objects import chosen_properties, rendered
from include.simulators.simulation import Simulation
from include.simulators.world.crm_shapes import PROPERTIES
from include.simulators.world.moments import parse
from include.simulators.world.people import words
from include.simulators.world.store import JsonObject, Live

MAX_LIMIT = 200
DEFAULT_LIMIT = 10
MAX_RESULTS = 10_000
MAX_BODY = 3_000
OPERATORS = words(
    "IN NOT_HAS_PROPERTY LT EQ GT NOT_IN GTE CONTAINS_TOKEN HAS_PROPERTY LTE NOT_CONTAINS_TOKEN BETWEEN NEQ"
)
#: They also find records that lack the property.
_NEGATIVE = ("NEQ", "NOT_IN", "NOT_CONTAINS_TOKEN", "NOT_HAS_PROPERTY")

Comparable = Callable[[str], Any]


def comparable(kind: str, name: str) -> Comparable:
    """How values of a property are compared: as instants, as numbers, or as text."""
    type = PROPERTIES[kind][name].type
    if type == "datetime":
        return _instant
    if type == "number":
        return _number
    return str if type == "enumeration" else str.lower


def _instant(value: str) -> int:
    """Epoch milliseconds or ISO 8601."""
    try:
        return int(value) if value.lstrip("-").isdigit() else parse(value)
    except ValueError:
        raise bad_request(f"{value} was not a valid date") from None


def _number(value: str) -> int | float:
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        raise bad_request(f"{value} was not a valid number") from None


def search(simulation: Simulation, kind: str, body: Any, size: int) -> JsonObject:
    """Answers a search request; raises HubSpotError on what HubSpot refuses."""
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
    groups = [[_filter(kind, given) for given in group] for group in _groups(body)]
    # The index shows the world as it was a while ago; archived records are never in it.
    rows = simulation.world.store[kind].snapshot(simulation.clock - simulation.search_lag).rows
    query = str(body.get("query") or "").lower()
    found = [row for row in rows if _matches(row, groups) and (not query or _mentions(row, query))]
    _sort(kind, found, body.get("sorts") or [])
    names = chosen_properties(kind, body.get("properties"))
    answer: JsonObject = {
        "total": len(found),
        "results": [rendered(row.object, names) for row in found[offset : offset + limit]],
    }
    if offset + limit < len(found):
        answer["paging"] = {"next": {"after": str(offset + limit)}}
    return answer


def _offset(after: Any) -> int:
    if after in (None, ""):
        return 0
    if not str(after).isdigit():
        raise bad_request(f"Invalid paging cursor: {after}")
    return int(after)


def _groups(body: JsonObject) -> list[list[Any]]:
    """The filters of each group; a bare `filters` is one group."""
    given = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
    if not isinstance(given, list) or not all(isinstance(group, dict) for group in given):
        raise bad_request("filterGroups must be a list of objects")
    groups = [list(group.get("filters") or []) for group in given]
    if len(groups) > 5:
        raise bad_request("The maximum number of filterGroups is 5")
    if any(len(group) > 6 for group in groups) or sum(map(len, groups)) > 18:
        raise bad_request("The maximum number of filters is 6 per group and 18 in total")
    return groups


def _filter(kind: str, given: Any) -> Callable[[JsonObject], bool]:
    """A predicate on the properties of a record."""
    if not isinstance(given, dict):
        raise bad_request("A filter must be an object")
    name, operator = given.get("propertyName"), given.get("operator")
    if operator not in OPERATORS:
        raise bad_request(f"Invalid input JSON: Enum type must be one of: [{', '.join(OPERATORS)}]")
    if name not in PROPERTIES[kind]:
        raise bad_request(f"There was a problem with the request: property {name} does not exist")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda properties: (properties[name] is not None) == (operator == "HAS_PROPERTY")
    read = comparable(kind, name)
    test = _test(operator, read, given)

    def matches(properties: JsonObject) -> bool:
        value = properties[name]
        return operator in _NEGATIVE if value is None else test(value)

    return matches


def _test(operator: str, read: Comparable, given: JsonObject) -> Callable[[str], bool]:
    if operator in ("IN", "NOT_IN"):
        values = given.get("values")
        if not isinstance(values, list):
            raise bad_request(f"operator {operator} requires values")
        wanted = {read(str(value)) for value in values}
        return lambda value: (read(value) in wanted) == (operator == "IN")
    if given.get("value") is None:
        raise bad_request(f"operator {operator} requires a value")
    text = str(given["value"])
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        token = text.lower().strip("*")
        return lambda value: (token in value.lower()) == (operator == "CONTAINS_TOKEN")
    low = read(text)
    if operator == "BETWEEN":
        if given.get("highValue") is None:
            raise bad_request("operator BETWEEN requires a highValue")
        high = read(str(given["highValue"]))
        return lambda value: bool(low <= read(value) <= high)
    tests: dict[str, Callable[[str], bool]] = {
        "EQ": lambda value: bool(read(value) == low),
        "NEQ": lambda value: bool(read(value) != low),
        "GT": lambda value: bool(read(value) > low),
        "GTE": lambda value: bool(read(value) >= low),
        "LT": lambda value: bool(read(value) < low),
        "LTE": lambda value: bool(read(value) <= low),
    }
    return tests[operator]


def _matches(row: Live, groups: list[list[Callable[[JsonObject], bool]]]) -> bool:
    properties = row.object["properties"]
    return not groups or any(all(test(properties) for test in group) for group in groups)


def _mentions(row: Live, query: str) -> bool:
    return any(query in value.lower() for value in row.object["properties"].values() if value)


def _sort(kind: str, rows: list[Live], sorts: Any) -> None:
    """Sorts in place: by one property, records without it last; by creation date if nothing is asked for."""
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise bad_request("The maximum number of sorts is 1")
    name, descending = "createdate", False
    if sorts:
        given = sorts[0]
        if isinstance(given, dict):
            name, descending = given.get("propertyName", ""), given.get("direction") == "DESCENDING"
        else:
            name, descending = str(given).lstrip("-"), str(given).startswith("-")
    if name not in PROPERTIES[kind]:
        raise bad_request(f"There was a problem with the request: property {name} does not exist")
    read = comparable(kind, name)
    with_value = [row for row in rows if row.object["properties"][name] is not None]
    without = [row for row in rows if row.object["properties"][name] is None]
    with_value.sort(key=lambda row: read(row.object["properties"][name]), reverse=descending)
    rows[:] = with_value + without
