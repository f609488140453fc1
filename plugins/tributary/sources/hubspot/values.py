"""Values of properties that no column takes, typed by the portal's own catalogue. All of them arrive as text."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tributary.contracts.model import ColumnType
from tributary.flatten.values import UnfitError, converter, kind, split

Convert = Callable[[Any], Any]
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def number(value: Any) -> int | float | str | None:
    """`1,234.50` as a JSON number, and as plain text where JSON's double would not hold it exactly."""
    if value == "":
        return None
    try:
        exact = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        raise UnfitError(kind(value)) from None
    if not exact.is_finite():
        raise UnfitError(kind(value))
    if exact == exact.to_integral_value() and _INT64_MIN <= exact <= _INT64_MAX:
        return int(exact)
    double = float(exact)
    return double if Decimal(repr(double)) == exact else format(exact, "f")


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
