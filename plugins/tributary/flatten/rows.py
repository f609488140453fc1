"""Result types of the fast and the careful reader: typed rows, drift, rejects."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from math import ceil, floor
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from tributary.contracts.model import Column, ColumnType, Contract, TableSpec
from tributary.contracts.names import attribute
from tributary.contracts.values import RoundedError

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
NULL = msgspec.Raw(b"null")
#: The path of a child that tells which records were merged into the record; it stands nowhere in the record itself.
MERGED = "merged"


class RejectError(Exception):
    """The record breaks its contract. Holds the reason and the path, never the value."""

    def __init__(self, reason: str, path: str, detail: str = "") -> None:
        super().__init__(f"{reason} at {path} {detail}".strip())
        self.reason = reason
        self.path = path
        self.detail = detail


class Drift(NamedTuple):
    """A field that the contract doesn't know, whose type changed, or that was rounded."""

    kind: str
    path: str
    found: str
    #: As received.
    value: msgspec.Raw


class Gone(NamedTuple):
    """A record that is only the notice of its deletion."""

    id: str


class Rejected(NamedTuple):
    """A record that breaks its contract."""

    error: RejectError
    #: The record's key, parts joined by `|`; None where it has none.
    key: str | None
    #: Child stream -> rows that came nested in the record.
    nested: dict[str, int]
    #: When the source deleted it, as far as that can be read.
    deleted_at: str | None = None
    #: As in Reading, as far as it can be read.
    merged: Sequence[Any] = ()


class Reading(NamedTuple):
    """A record as rows."""

    row: Any
    #: Child stream -> its rows.
    children: Sequence[tuple[str, Sequence[Any]]]
    #: What drifted, with the stream in whose row it is.
    drift: Sequence[tuple[str, Drift]]
    #: What the record's fields tell of records that were merged into it, as received.
    merged: Sequence[Any]
    deleted_at: str | None


class Nested(NamedTuple):
    """Further items of one parent as rows; an error instead where one of them breaks the contract."""

    parent: str
    items: int
    rows: Sequence[Any]
    drift: Sequence[Drift]
    error: RejectError | None = None


def row_type(table: TableSpec) -> Any:
    """The struct of a table's rows: its columns in order, then `_extra`. Fields are called as `attribute` says.

    What is null is left out of the encoded row: BigQuery loads both alike, and a third of an invoice is null.
    """
    names = [*(column.name for column in table.columns), "_extra"]
    fields = [(attribute(name), Any, None) for name in names]
    rename = {attribute(name): name for name in names}
    return msgspec.defstruct(f"{table.name}_row", fields, rename=rename, gc=False, omit_defaults=True)


def key_of(contract: Contract, row: Any) -> str:
    """The key of a record's row, parts joined by `|`."""
    return "|".join([str(getattr(row, attribute(column))) for column in contract.key])


def own_columns(table: TableSpec) -> tuple[Column, ...]:
    """The columns that are read from the record, without those that a child inherits."""
    return table.child.columns if table.child else table.contract.columns


def is_required(table: TableSpec, column: Column) -> bool:
    return column.required or column.name in table.key


def in_range(column: Column, convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A conversion with the column's declared range behind it; raises RejectError for what is outside."""
    if column.min is None and column.max is None:
        return convert
    days = column.type in (ColumnType.TIMESTAMP, ColumnType.DATE)
    # A time is ISO text by now, so a day is its beginning, and texts are in the order of the days.
    low, high = (str(column.min or ""), str(column.max or "9999-12-31")) if days else (column.min, column.max)
    comparable: Callable[[Any], Any] = itemgetter(slice(len("2026-01-05"))) if days else float

    def check(converted: Any) -> None:
        found = comparable(converted)
        if (low is not None and found < low) or (high is not None and found > high):
            raise RejectError("range", column.path[0], f"outside [{column.min}, {column.max}]")

    def convert_and_check(value: Any) -> Any:
        try:
            converted = convert(value)
        except RoundedError as error:
            check(error.value)
            raise
        if converted is not None:
            check(converted)
        return converted

    return convert_and_check


def int_range(column: Column) -> tuple[int, int]:
    """Return the JSON integers within the column's range, as far as the range is known before the conversion."""
    low, high = INT64_MIN, INT64_MAX
    if column.type == ColumnType.INT64:
        low = low if column.min is None else ceil(column.min)  # type: ignore[arg-type]  # a number, says the contract
        high = high if column.max is None else floor(column.max)  # type: ignore[arg-type]
    elif column.type == ColumnType.TIMESTAMP:
        low = low if column.min is None else _seconds(column.min)
        high = high if column.max is None else _seconds(column.max) + 86_399
    return low, high


def _seconds(day: Any) -> int:
    return int((day - date(1970, 1, 1)).days * 86_400)


def is_raw(column: Column) -> bool:
    """Return True if the column needs the value's own text: JSON, or a decimal that may not become a float."""
    return column.type in (ColumnType.JSON, ColumnType.NUMERIC, ColumnType.BIGNUMERIC)


def known_paths(table: TableSpec) -> Iterable[str]:
    """Dotted paths that the contract names; everything below one of them is known."""
    yield from (path for column in own_columns(table) for path in column.path)
    yield from (path.removesuffix(".*") for path in table.known)
    if table.child is None:
        yield from (child.path for child in table.contract.children if child.path != MERGED)
        yield from table.contract.merged_ids


def nested_tables(contract: Contract) -> list[TableSpec]:
    """The children whose items come within the record."""
    children = [(table, table.child) for table in contract.tables if table.child]
    return [table for table, child in children if not child.associate and child.path != MERGED]
