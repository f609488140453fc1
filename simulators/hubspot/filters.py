"""The filters of a search request as tests on records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.hubspot.errors import bad_request
from simulators.world.crm_properties import Property
from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import parse
from simulators.world.people import words
from simulators.world.store import JsonObject, Live

OPERATORS = words(
    "IN NOT_HAS_PROPERTY LT EQ GT NOT_IN GTE CONTAINS_TOKEN HAS_PROPERTY LTE NOT_CONTAINS_TOKEN BETWEEN NEQ"
)
MAX_GROUPS, MAX_PER_GROUP, MAX_FILTERS = 5, 6, 18
#: They also find records that lack the property.
_NEGATIVE = ("NEQ", "NOT_IN", "NOT_CONTAINS_TOKEN", "NOT_HAS_PROPERTY")

Test = Callable[[Live], bool]
Read = Callable[[str], Any]
Value = Callable[[Live], Any]


def groups_in(body: JsonObject) -> list[list[Any]]:
    """The filters of each group; a bare `filters` is one group."""
    given = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
    if not isinstance(given, list) or not all(isinstance(group, dict) for group in given):
        raise bad_request("filterGroups must be a list of objects")
    groups = [list(group.get("filters") or []) for group in given]
    if len(groups) > MAX_GROUPS:
        raise bad_request(f"The maximum number of filterGroups is {MAX_GROUPS}")
    if any(len(group) > MAX_PER_GROUP for group in groups) or sum(map(len, groups)) > MAX_FILTERS:
        raise bad_request(f"The maximum number of filters is {MAX_PER_GROUP} per group and {MAX_FILTERS} in total")
    return groups


def filter_test(kind: str, known: dict[str, Property], given: Any) -> Test:
    """Return a predicate for one filter of a search."""
    if not isinstance(given, dict):
        raise bad_request("A filter must be an object")
    name, operator = given.get("propertyName"), given.get("operator")
    if operator not in OPERATORS:
        raise bad_request(f"Invalid input JSON: Enum type must be one of: [{', '.join(OPERATORS)}]")
    property = known.get(str(name))
    if property is None:
        raise bad_request(f"There was a problem with the request: property {name} does not exist")
    value = value_of(kind, property)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return lambda row: (value(row) is not None) == wanted
    test = _test(operator, property, given)
    without = operator in _NEGATIVE

    def matches(row: Live) -> bool:
        found = value(row)
        return without if found is None else test(found)

    return matches


def value_of(kind: str, property: Property) -> Value:
    """Return a reader of a property for comparing; None for no value, or one that its type can't have."""
    type, name = OBJECT_TYPES[kind], property.name
    # Known without looking into the record: searches by date are many and go through everything.
    if name == type.modified:
        return lambda row: row.version.at
    if name == type.created:
        return lambda row: row.created
    if name == "hs_object_id":
        return lambda row: int(row.id)
    read = reader(property)

    def value(row: Live) -> Any:
        text = row.object["properties"].get(name)
        if not text:
            return None
        try:
            return read(text)
        except ValueError:
            return None

    return value


def reader(property: Property) -> Read:
    """Reads a value of a property's type for comparing: instants, numbers or text. Raises ValueError."""
    if property.type in ("datetime", "date"):
        return _instant
    if property.type == "number":
        return _number
    if property.several:
        return lambda text: tuple(part for part in text.split(";") if part)
    return str if property.type == "enumeration" else str.lower


def _instant(text: str) -> int:
    """Epoch milliseconds or ISO 8601."""
    return int(text) if text.lstrip("-").isdigit() else parse(text)


def _number(text: str) -> int | float:
    plain = text.replace(",", "")
    return int(plain) if plain.lstrip("-").isdigit() else float(plain)


def _given(property: Property, text: object) -> Any:
    try:
        return reader(property)(str(text))
    except ValueError:
        kind = "number" if property.type == "number" else "date"
        raise bad_request(f"{text} was not a valid {kind}") from None


def _test(operator: str, property: Property, given: JsonObject) -> Callable[[Any], bool]:
    if operator in ("IN", "NOT_IN"):
        values = given.get("values")
        if not isinstance(values, list):
            raise bad_request(f"operator {operator} requires values")
        positive = operator == "IN"
        if property.several:
            options = {str(value) for value in values}
            return lambda found: bool(options & set(found)) == positive
        wanted = {_given(property, value) for value in values}
        return lambda found: (found in wanted) == positive
    if given.get("value") is None:
        raise bad_request(f"operator {operator} requires a value")
    text = str(given["value"])
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        token, positive = text.lower().strip("*"), operator == "CONTAINS_TOKEN"
        return lambda found: (token in str(found).lower()) == positive
    low = _given(property, text)
    if operator == "BETWEEN":
        if given.get("highValue") is None:
            raise bad_request("operator BETWEEN requires a highValue")
        high = _given(property, given["highValue"])
        return lambda found: bool(low <= found <= high)
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda found: bool(found == low),
        "NEQ": lambda found: bool(found != low),
        "GT": lambda found: bool(found > low),
        "GTE": lambda found: bool(found >= low),
        "LT": lambda found: bool(found < low),
        "LTE": lambda found: bool(found <= low),
    }
    return tests[operator]
