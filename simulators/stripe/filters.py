"""The filters that the collections' table declares, as predicates on full objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulators.stripe.errors import invalid
from simulators.stripe.lists import Params, Test, boolean, parse_params, within
from simulators.stripe.present import UNLISTED
from simulators.world.resources import Filter, Resource
from simulators.world.store import JsonObject, values_at

PAGING = ("limit", "starting_after", "ending_before")


def read_params(pairs: Iterable[tuple[str, str]], resource: Resource) -> Params:
    """The parameters of a list of the collection. Raises StripeError on what it doesn't take."""
    kinds = {
        kind: [name for name, each in resource.filters.items() if each.kind == kind] for kind in ("range", "among")
    }
    plain = [name for name, each in resource.filters.items() if each.kind in ("text", "flag")]
    return parse_params(pairs, (*PAGING, *plain), kinds["range"], kinds["among"])


def index_for(resource: Resource, params: Params) -> tuple[str, str] | None:
    """A filter that an index can answer: the path of its field, and the value."""
    for name, value in params.single.items():
        found = resource.filters.get(name)
        if found and found.kind == "text" and not found.groups:
            return found.path, value
    return None


def tests_for(resource: Resource, params: Params) -> list[Test]:
    """The filters of a list request but for `created`. Raises StripeError on values that cannot be."""
    tests: list[Test] = []
    for name, each in resource.filters.items():
        if name in params.ranges and name != "created":
            tests.append(_within(each, params.ranges[name]))
        elif name in params.lists:
            tests.append(_among(each.path, params.lists[name]))
        elif name in params.single:
            tests += _single(name, each, params.single[name])
        elif each.unless is not None:
            tests.append(_not(_among(each.path, [each.unless])))
    tests.append(lambda shape: UNLISTED not in shape)
    if resource.on_clock and not params.names.intersection(resource.on_clock):
        tests.append(lambda shape: shape.get("test_clock") is None)
    return tests


def _single(name: str, filter: Filter, value: str) -> list[Test]:
    if filter.kind == "flag":
        wanted = boolean(name, value)
        return [lambda shape: wanted in values_at(shape, filter.path)]
    if value in filter.groups:
        members = filter.groups[value]
        return [_among(filter.path, members)] if members else []
    if filter.words and value not in filter.words:
        known = sorted({*filter.words, *filter.groups})
        raise invalid(name, f"Invalid {name}: must be one of {', '.join(known)}")
    return [_among(filter.path, [value])]


def _among(path: str, values: Iterable[str]) -> Test:
    wanted = set(values)
    return lambda shape: not wanted.isdisjoint(values_at(shape, path))


def _not(test: Test) -> Test:
    return lambda shape: not test(shape)


def _within(filter: Filter, bounds: dict[str, int]) -> Test:
    choose: Callable[[list[int]], int] = max if filter.pick == "max" else min

    def test(shape: JsonObject) -> bool:
        found = values_at(shape, filter.path)
        return bool(found) and within(choose(found), bounds)

    return test
