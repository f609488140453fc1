"""One JSON value into one column's type. Values come as Stripe sends them (typed) and as HubSpot does (all strings)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite
from typing import Any

import msgspec

from tributary.contracts.model import ColumnType
from tributary.mailboxes import mailbox

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
#: Epoch milliseconds from 26 April 1970 to November 2286, or as long before 1970. What is shorter is in seconds or
#: is a day written without separators; what is longer is finer than milliseconds. Fractions are cut off.
_EPOCH_MS = re.compile(r"(-?[1-9][0-9]{10,12})(?:\.[0-9]+)?")
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
#: A whole number that an INT64 holds whatever its digits are, as it is mostly written.
_SHORT = 18
#: A number as it may be written: ASCII digits, commas between groups of three, a point, a short exponent.
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
#: Type -> digits before and behind the point that every value may have.
_DIGITS = {ColumnType.NUMERIC: (29, 9), ColumnType.BIGNUMERIC: (38, 38)}
#: Up to here every integer is a float of its own.
FLOAT64_EXACT = 2**53


class UnfitError(ValueError):
    """The value does not fit the column's type. Says which JSON type it has, never the value."""


class RoundedError(UnfitError):
    """The value has more decimals than the column's type; holds what is left of it."""

    def __init__(self, found: str, value: Any) -> None:
        super().__init__(found)
        self.value = value


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
        if len(value) <= _SHORT and value.isdigit() and value.isascii():
            return int(value)
        number = decimal(value)
        value = int(number) if number.adjusted() <= _SHORT and number == number.to_integral_value() else value
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not _INT64_MIN <= value <= _INT64_MAX:
        raise UnfitError(kind(value))
    return int(value)


def decimal(value: Any) -> Decimal:
    """The number that a value is, exactly; `1,234.50` and `1.2E7` too, since people and exports write them.

    Raises:
        UnfitError: it is none, or its exponent is so large that computing with it would not end.
    """
    text = value if isinstance(value, str) else str(value)
    if not _NUMBER.fullmatch(text):
        raise UnfitError(kind(value))
    return Decimal(text.replace(",", ""))


def _json_number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise UnfitError("number")
    return Decimal(text)


#: Decodes JSON without passing a number with a point or an exponent through a float.
decode_exactly = msgspec.json.Decoder(float_hook=_json_number).decode


def finite(number: Decimal) -> float:
    """The nearest float.

    Raises:
        UnfitError: the number is larger than any.
    """
    found = float(number)
    if not isfinite(found):
        raise UnfitError("string beyond a double")
    return found


def _exact(type_: ColumnType) -> Callable[[Any], str]:
    """A decimal as text, since a JSON number would pass through a float."""
    digits, decimals = _DIGITS[type_]
    plain = re.compile(rf"-?(?:0|[1-9][0-9]{{0,{digits - 1}}})(?:\.[0-9]{{1,{decimals}}})?").fullmatch
    unit, context = Decimal(1).scaleb(-decimals), Context(prec=digits + decimals + 1, rounding=ROUND_HALF_UP)

    def within(number: Decimal) -> bool:
        return not number or number.adjusted() < digits

    def convert(value: Any) -> str:
        if isinstance(value, str) and plain(value):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise UnfitError(kind(value))
        number = decimal(value)
        outside = f"{kind(value)} outside {type_}'s {digits} digits and {decimals} decimals"
        if not within(number):
            raise UnfitError(outside)
        if _decimals(number) > decimals:
            number = _shortest(number)
        if _decimals(number) <= decimals:
            return format(number, "f")
        # The half goes away from zero, as BigQuery's ROUND has it.
        rounded = number.quantize(unit, context=context)
        if not within(rounded):
            raise UnfitError(outside)
        raise RoundedError(f"{kind(value)} of more than {decimals} decimals", format(rounded, "f"))

    return convert


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent if number else 0


def _shortest(number: Decimal) -> Decimal:
    """0.2 for `0.200000000000000011102230246251565404236316680908203125`: a server that writes out every digit of a
    double means the number that this double stands for."""
    double = float(number)
    return Decimal(repr(double)) if isfinite(double) and Decimal(double) == number else number


def _float64(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnfitError(kind(value))
    if isinstance(value, int) and abs(value) > FLOAT64_EXACT:
        raise UnfitError("integer beyond 2^53")
    return finite(decimal(value)) if isinstance(value, str) else float(value)


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
            if _WHOLE.fullmatch(value):
                if found := _EPOCH_MS.fullmatch(value):
                    return _EPOCH + timedelta(milliseconds=int(found[1]))
                raise UnfitError("string of a whole number that is no epoch milliseconds")
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except UnfitError:
        raise
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
    address = mailbox(value)
    return address and address.rpartition("@")[2]


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
