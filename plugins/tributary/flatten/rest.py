"""The members of an object that no column takes, kept together in one JSON column."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tributary.flatten.values import UnfitError

Conversions = Mapping[str, Callable[[Any], Any]]


def rest_of(
    members: Mapping[str, Any], taken: Iterable[str], conversions: Conversions
) -> tuple[dict[str, Any] | None, list[tuple[str, str, Any]]]:
    """What is left of `members`, in the order of the names, and the members that don't fit: name, JSON type, value.

    A member without a value (null) is left out; one that was emptied (an empty text) stays, as null where its type has
    no empty text. None when nothing is left.
    """
    left: dict[str, Any] = {}
    unfit: list[tuple[str, str, Any]] = []
    for name in sorted(members.keys() - set(taken)):
        value = members[name]
        if value is None:
            continue
        convert = conversions.get(name)
        try:
            left[name] = convert(value) if convert else value
        except UnfitError as error:
            unfit.append((name, str(error), value))
    return left or None, unfit
