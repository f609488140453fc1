"""One JSON value into one column's type. Values come as Stripe sends them (typed) and as HubSpot does (all strings)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from tributary.contracts.model import ColumnType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_MS = re.compile(r"-?\d+")
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
#: Type -> digits before and behind the point that every value may have.
_DIGITS = {ColumnType.NUMERIC: (29, 9), ColumnType.BIGNUMERIC: (38, 38)}
#: Up to here every integer is a float of its own.
FLOAT64_EXACT = 2**53


class UnfitError(ValueError):
    """The value does not fit the column's type. Says which JSON type it has, never the value."""


def kind(value: Any) -> str:
    """The JSON type of a value, for messages."""
    names = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        Decimal: "number",
        dict: "object",
        list: "array",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnfitError(kind(value))


def _int64(value: Any) -> int:
    if isinstance(value, str):
        number = _decimal(value)
        value = int(number) if number == number.to_integral_value() else value
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not _INT64_MIN <= value <= _INT64_MAX:
        raise UnfitError(kind(value))
    return int(value)


def _decimal(value: Any) -> Decimal:
    """`1,234.50` and `1.2E7` too: people and exports write them."""
    try:
        number = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        raise UnfitError(kind(value)) from None
    if not number.is_finite():
        raise UnfitError(kind(value))
    return number


def _exact(type_: ColumnType) -> Callable[[Any], str]:
    """A decimal as text, since a JSON number would pass through a float."""
    digits, decimals = _DIGITS[type_]
    limit = Decimal(10) ** digits

    def convert(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise UnfitError(kind(value))
        number = _decimal(value)
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > decimals or abs(number) >= limit:
            raise UnfitError(f"{kind(value)} outside {type_}'s {digits} digits and {decimals} decimals")
        return format(number, "f")

    return convert


def _float64(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnfitError(kind(value))
    if isinstance(value, int) and abs(value) > FLOAT64_EXACT:
        raise UnfitError("integer beyond 2^53")
    return float(_decimal(value))


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise UnfitError(kind(value))


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, bool):
            raise UnfitError(kind(value))
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            if _EPOCH_MS.fullmatch(value):
                return _EPOCH + timedelta(milliseconds=int(value))
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise UnfitError(kind(value))


def _timestamp(value: Any) -> str:
    """Epoch seconds as a number, epoch milliseconds as text, or ISO text, as ISO text in UTC."""
    return _moment(value).isoformat().replace("+00:00", "Z")


def _date(value: Any) -> str:
    if isinstance(value, str) and len(value) == len("2026-01-05"):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise UnfitError(kind(value)) from None
    return _moment(value).date().isoformat()


def _json(value: Any) -> Any:
    return value


def split(value: Any) -> list[str]:
    """`a;b` as a list."""
    if not isinstance(value, str):
        raise UnfitError(kind(value))
    return [part for part in value.split(";") if part]


def domain(value: Any) -> str | None:
    """The domain of an e-mail address, in lower case; None where it is none."""
    if not isinstance(value, str):
        raise UnfitError(kind(value))
    return value.strip().rpartition("@")[2].lower() if "@" in value else None


_CONVERTERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.STRING: _string,
    ColumnType.INT64: _int64,
    ColumnType.NUMERIC: _exact(ColumnType.NUMERIC),
    ColumnType.BIGNUMERIC: _exact(ColumnType.BIGNUMERIC),
    ColumnType.FLOAT64: _float64,
    ColumnType.BOOL: _bool,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.DATE: _date,
    ColumnType.JSON: _json,
}


def converter(type_: ColumnType) -> Callable[[Any], Any]:
    """The conversion into a type.

    Null stays null, and so does an empty string where the type is not STRING: that is how HubSpot writes "no value".
    The conversion raises UnfitError for anything else that is not of the type.
    """
    convert = _CONVERTERS[type_]
    if type_ in (ColumnType.STRING, ColumnType.JSON):
        return convert

    def with_empty(value: Any) -> Any:
        return None if value == "" else convert(value)

    return with_empty
