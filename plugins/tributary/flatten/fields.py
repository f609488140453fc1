"""One record into one row: where each column's value stands, and which fields nobody declared."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tributary.contracts.model import Column, TableSpec
from tributary.flatten.merges import MERGED
from tributary.flatten.rest import Conversions, rest_of
from tributary.flatten.values import UnfitError, converter, kind, split

_ABSENT = object()
_COVERED: dict[str, Any] = {}
"""A node of the tree of known fields below which everything is known."""


class RejectError(Exception):
    """The record breaks its contract. Holds the reason and the path, never the value."""

    def __init__(self, reason: str, path: str, detail: str = "") -> None:
        super().__init__(f"{reason} at {path} {detail}".strip())
        self.reason = reason
        self.path = path
        self.detail = detail


class Drift:
    """A field that the contract doesn't know, or whose type changed."""

    __slots__ = ("found", "kind", "path", "value")

    def __init__(self, kind_: str, path: str, found: str, value: Any) -> None:
        self.kind = kind_
        self.path = path
        self.found = found
        self.value = value


class _Reader:
    """One column, compiled."""

    def __init__(self, column: Column, required: bool) -> None:
        self.name = column.name
        self.required = required
        self.paths = [tuple(path.split(".")) for path in column.path]
        self.path = column.path[0]
        self.type = column.type
        self._convert = split if column.as_ == "list" else converter(column.type)
        self._expandable = column.expandable
        self._min = column.min
        self._max = column.max

    def read(self, record: Mapping[str, Any]) -> Any:
        """The typed value, None where absent.

        Raises:
            UnfitError: the value is not of the column's type.
            RejectError: out of the declared range.
        """
        value = next(
            (found for path in self.paths if (found := _at(record, path)) is not _ABSENT and found is not None), None
        )
        if value is None:
            return None
        if self._expandable and isinstance(value, Mapping):
            value = value.get("id")
        converted = self._convert(value)
        if self._min is not None or self._max is not None:
            self._check_range(converted)
        return converted

    def _check_range(self, value: Any) -> None:
        if value is None:
            return
        number = float(value)
        if (self._min is not None and number < self._min) or (self._max is not None and number > self._max):
            raise RejectError("range", self.path, f"outside [{self._min}, {self._max}]")

    def raw(self, record: Mapping[str, Any]) -> Any:
        return next(found for path in self.paths if (found := _at(record, path)) is not _ABSENT and found is not None)


class _RestReader:
    """The column that takes what the others leave of an object."""

    def __init__(self, column: Column, others: Iterable[str]) -> None:
        self.name = column.name
        self._path = column.path[0]
        self._parts = tuple(self._path.split("."))
        inside = (path.removeprefix(f"{self._path}.") for path in others if path.startswith(f"{self._path}."))
        self._taken = {name.partition(".")[0] for name in inside}

    def read(self, record: Mapping[str, Any], conversions: Conversions) -> tuple[Any, list[Drift]]:
        members = _at(record, self._parts)
        left, unfit = rest_of(members if isinstance(members, Mapping) else {}, self._taken, conversions)
        return left, [Drift("type", f"{self._path}.{name}", found, value) for name, found, value in unfit]


class RowReader:
    """Reads the rows of one table."""

    def __init__(self, table: TableSpec) -> None:
        own = table.child.columns if table.child else table.contract.columns
        self._readers = [_Reader(c, c.required or c.name in table.key) for c in own if c.as_ != "rest"]
        others = [path for column in own for path in column.path] + list(table.known)
        others += table.contract.merged_ids
        self._rest = [_RestReader(column, others) for column in own if column.as_ == "rest"]
        self._known = _tree(table)
        #: How values of the account's own fields are typed, by name.
        self.conversions: Conversions = {}

    def read(self, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[Drift]]:
        """The row's own columns, typed, and what drifted.

        Raises:
            RejectError: a key or required column is absent or unfit, or a value is out of its range.
        """
        row: dict[str, Any] = {}
        drift: list[Drift] = []
        for reader in self._readers:
            try:
                value = reader.read(record)
            except UnfitError as error:
                if reader.required:
                    raise RejectError("type", reader.path, f"expected {reader.type}, found {error}") from None
                drift.append(Drift("type", reader.path, str(error), reader.raw(record)))
                value = None
            if value is None and reader.required:
                raise RejectError("missing", reader.path)
            row[reader.name] = value
        for rest in self._rest:
            row[rest.name], unfit = rest.read(record, self.conversions)
            drift.extend(unfit)
        drift.extend(_unknown(record, self._known, ""))
        return row, drift


def items_at(record: Mapping[str, Any], path: str) -> list[Any]:
    """The items of a nested list: a plain array, or a list object's data."""
    value = _at(record, tuple(path.split(".")))
    if isinstance(value, Mapping):
        value = value.get("data")
    return value if isinstance(value, list) else []


def _at(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = record
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _tree(table: TableSpec) -> dict[str, Any]:
    """Known fields as nested dicts; `_COVERED` below a path that a column or child takes whole, or `known` ends in."""
    own = table.child.columns if table.child else table.contract.columns
    paths = [path for column in own for path in column.path]
    paths += [path.removesuffix(".*") for path in table.known]
    if table.child is None:
        paths += [child.path for child in table.contract.children]
        paths += [*table.contract.merged_ids, MERGED]
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=lambda path: -path.count(".")):
        *parents, leaf = path.split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[leaf] = _COVERED
    return tree


def _unknown(record: Mapping[str, Any], known: dict[str, Any], prefix: str) -> Iterator[Drift]:
    for name, value in record.items():
        node = known.get(name)
        if node is None:
            yield Drift("unknown", prefix + name, kind(value), value)
        elif node is not _COVERED and isinstance(value, Mapping):
            yield from _unknown(value, node, f"{prefix}{name}.")


Encode = Callable[[Any], bytes]
