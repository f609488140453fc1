"""Stripe's lists: parameters, filters, cursors, pages."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from simulators.stripe.errors import StripeError, invalid, missing_object, unknown_parameter
from simulators.world.store import JsonObject

_KEY = re.compile(r"^([a-z_]+)(?:\[([a-z_]*|\d+)\])?$")
_BOUNDS = ("gt", "gte", "lt", "lte")
MAX_LIMIT = 100
DEFAULT_LIMIT = 10

Test = Callable[[JsonObject], bool]


@dataclass(slots=True, frozen=True)
class Row:
    """One object of a list, `created` in seconds. `render` gives the object."""

    id: str
    created: int
    render: Callable[[], JsonObject]


@dataclass(slots=True)
class Params:
    """Parsed query parameters: `single` values, `lists` (`expand[]`) and `ranges` (`created[gte]`)."""

    single: dict[str, str]
    lists: dict[str, list[str]]
    ranges: dict[str, dict[str, int]]

    @property
    def names(self) -> set[str]:
        return {*self.single, *self.lists, *self.ranges}


def parse_params(
    pairs: Iterable[tuple[str, str]],
    allowed: Iterable[str],
    ranges: Iterable[str] = (),
    arrays: Iterable[str] = (),
) -> Params:
    """Reads bracket notation. Raises StripeError on parameters that aren't `allowed` and on bad numbers.

    `ranges` names the parameters that take either an integer or bounds, `arrays` those that take several values.
    """
    params = Params({}, {}, {})
    arrays = {*arrays, "expand"}
    known, ranged = {*allowed, *arrays}, set(ranges)
    for key, value in pairs:
        match = _KEY.match(key)
        name, inner = (match.group(1), match.group(2)) if match else (key, None)
        if key in known and inner:
            params.single[key] = value
            continue
        if name not in known and name not in ranged:
            raise unknown_parameter(name if match and not any(other.startswith(f"{name}[") for other in known) else key)
        if name in ranged:
            bounds = params.ranges.setdefault(name, {})
            if inner is None:
                bounds["gte"] = bounds["lte"] = integer(name, value)
            elif inner in _BOUNDS:
                bounds[inner] = integer(f"{name}[{inner}]", value)
            else:
                raise unknown_parameter(f"{name}[{inner}]")
        elif inner is None:
            if name in arrays:
                raise invalid(name, f"Invalid array: {name}")
            params.single[name] = value
        elif name in arrays and (inner == "" or inner.isdigit()):
            params.lists.setdefault(name, []).append(value)
        else:
            raise unknown_parameter(key)
    return params


def integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise invalid(name, f"Invalid integer: {value}", "parameter_invalid_integer") from None


def boolean(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(name, f"Invalid boolean: {value}")
    return value == "true"


def within(value: int | None, bounds: dict[str, int]) -> bool:
    """Return True if a number lies within {gt, gte, lt, lte}; null never does."""
    if value is None:
        return False
    return (
        value > bounds.get("gt", value - 1)
        and value >= bounds.get("gte", value)
        and value < bounds.get("lt", value + 1)
        and value <= bounds.get("lte", value)
    )


def limit_of(params: Params) -> int:
    if "limit" not in params.single:
        return DEFAULT_LIMIT
    limit = integer("limit", params.single["limit"])
    if not 1 <= limit <= MAX_LIMIT:
        word = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAX_LIMIT}"
        message = f"This value must be {word} (it currently is '{limit}')."
        raise invalid("limit", message, "parameter_invalid_integer")
    return limit


def page(
    rows: Sequence[Row],
    position: dict[str, int],
    params: Params,
    url: str,
    kind: str,
    tests: Sequence[Test] = (),
    *,
    by_created: Sequence[int] | None = None,
    wanted: Callable[[int], bool] | None = None,
    among: Sequence[int] | None = None,
) -> JsonObject:
    """One page of `rows`, which are in the order of the list.

    `position` finds a row by id. `by_created`, the negated creation seconds of the rows, allows the `created`
    filter to be a bisection; `wanted` tells by a row's index whether it is worth rendering, `among` lists in order the
    only indexes that are. Raises StripeError on a bad limit or cursor.
    """
    limit = limit_of(params)
    after, before = params.single.get("starting_after"), params.single.get("ending_before")
    if after is not None and before is not None:
        raise StripeError(
            400, "You may only specify one of these parameters: starting_after, ending_before.", param="starting_after"
        )
    low, high = _bounds(len(rows), by_created, params.ranges.get("created", {}))
    if before is not None:
        high = min(high, _cursor(position, before, kind, "ending_before"))
        order: Iterable[int] = reversed(_between(among, low, high))
    else:
        if after is not None:
            low = max(low, _cursor(position, after, kind, "starting_after") + 1)
        order = _between(among, low, high)
    found: list[JsonObject] = []
    has_more = False
    for index in order:
        if wanted is not None and not wanted(index):
            continue
        shape = rows[index].render()
        if all(test(shape) for test in tests):
            if len(found) == limit:
                has_more = True
                break
            found.append(shape)
    if before is not None:
        found.reverse()
    return {"object": "list", "data": found, "has_more": has_more, "url": url}


def _between(among: Sequence[int] | None, low: int, high: int) -> Sequence[int]:
    if among is None:
        return range(low, max(low, high))
    return among[bisect_left(among, low) : bisect_left(among, max(low, high))]


def _bounds(count: int, by_created: Sequence[int] | None, bounds: dict[str, int]) -> tuple[int, int]:
    """The slice of a newest-first list that lies within the bounds on `created`."""
    low, high = 0, count
    if by_created is None:
        return low, high
    if "lte" in bounds:
        low = max(low, bisect_left(by_created, -bounds["lte"]))
    if "lt" in bounds:
        low = max(low, bisect_right(by_created, -bounds["lt"]))
    if "gte" in bounds:
        high = min(high, bisect_right(by_created, -bounds["gte"]))
    if "gt" in bounds:
        high = min(high, bisect_left(by_created, -bounds["gt"]))
    return low, high


def _cursor(position: dict[str, int], id: str, kind: str, param: str) -> int:
    if id not in position:
        raise missing_object(kind, id, param, 400)
    return position[id]
