"""Values of properties that no column takes, typed by the portal's own catalogue. All of them arrive as text."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tributary.contracts.model import ColumnType
from tributary.contracts.values import UnfitError, converter, decimal, finite, split

Convert = Callable[[Any], Any]
_int64 = converter(ColumnType.INT64)
#: A number of up to 15 digits, which a double holds so that it reads the same again.
_PLAIN, _SHORT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?"), 15


def number(value: Any) -> int | float | str | None:
    """`1,234.50` as a JSON number, and as plain text where JSON's double would not hold it exactly.

    Raises:
        UnfitError: it is no number, or larger than any double.
    """
    if value == "":
        return None
    if isinstance(value, str) and len(value) <= _SHORT and _PLAIN.fullmatch(value):
        short = float(value)
        return int(short) if short.is_integer() else short
    try:
        return _int64(value)  # type: ignore[no-any-return]
    except UnfitError:
        exact = decimal(value)
    double = finite(exact)
    # Every digit of a double written out stands for the double as well as its shortest form does.
    return double if exact in (Decimal(repr(double)), Decimal(double)) else format(exact, "f")


_BY_TYPE: dict[str, Convert] = {
    "number": number,
    "bool": converter(ColumnType.BOOL),
    "date": converter(ColumnType.DATE),
    "datetime": converter(ColumnType.TIMESTAMP),
}


def conversions(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Convert]:
    """The conversion of every property that is not plain text, by its name."""
    found: dict[str, Convert] = {}
    for definition in definitions:
        type_, field = definition.get("type"), definition.get("fieldType")
        if type_ == "enumeration" and field == "checkbox":
            found[definition["name"]] = split
        elif type_ in _BY_TYPE:
            found[definition["name"]] = _BY_TYPE[type_]
    return found
