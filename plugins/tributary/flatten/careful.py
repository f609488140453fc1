"""The careful path: one record at a time, with everything that the contract doesn't foresee told apart.

What it reads is the reference for the fast path. Values stay the received text until a column wants them, so nothing
that is kept passes through a float.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from tributary.contracts.model import Column, Contract, Mode, Rule, TableSpec
from tributary.contracts.names import overlaps
from tributary.contracts.values import RoundedError, UnfitError, converter, decode_exactly, domain, kind, split
from tributary.flatten.rest import Rest, rests_of
from tributary.flatten.rows import (
    NULL,
    Drift,
    Gone,
    Reading,
    Rejected,
    RejectError,
    in_range,
    is_raw,
    is_required,
    known_paths,
    nested_tables,
    own_columns,
    row_type,
)
from tributary.sources.base import Source

_COVERED: dict[str, Any] = {}
"""A node of the tree of known fields below which everything is known."""

_value = msgspec.json.Decoder().decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Node(Mapping[str, Any]):
    """A JSON object whose fields are decoded when they are asked for."""

    __slots__ = ("_nodes", "fields")

    def __init__(self, raw: msgspec.Raw) -> None:
        self.fields = _fields(raw)
        self._nodes: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Any:
        return _told(self.fields[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def node(self, name: str) -> "Node | None":
        """The object in a field; None where there is none."""
        if name not in self._nodes:
            raw = self.fields.get(name)
            if raw is None or not is_object(raw):
                return None
            self._nodes[name] = Node(raw)
        return self._nodes[name]

    def at(self, path: str) -> msgspec.Raw | None:
        """Return the value at a dotted path; None if it is absent or null."""
        *parents, leaf = path.split(".")
        node: Node | None = self
        for name in parents:
            node = node.node(name) if node else None
        raw = node.fields.get(leaf) if node else None
        return None if raw == NULL else raw


def is_object(raw: msgspec.Raw) -> bool:
    return memoryview(raw)[0] == ord("{")


def _told(raw: msgspec.Raw) -> Any:
    """A value that only informs; None for one that no decoder takes, such as `1e400`."""
    with suppress(msgspec.DecodeError):
        return _value(raw)
    return None


def _kind(raw: msgspec.Raw) -> str:
    try:
        return kind(_value(raw))
    except msgspec.DecodeError:
        return "unreadable"


def _storable(raw: msgspec.Raw) -> msgspec.Raw:
    """The value as JSON that a warehouse takes: a number beyond its range as text."""
    return msgspec.Raw(msgspec.json.encode(bytes(raw).decode())) if _kind(raw) == "unreadable" else raw


class _ColumnReader:
    """One column, compiled."""

    def __init__(self, column: Column, required: bool) -> None:
        self.column = column
        self.required = required
        self.path = column.path[0]
        self._decode = decode_exactly if is_raw(column) else _value
        special = {"list": split, "domain": domain}.get(column.as_ or "")
        self._convert = special or in_range(column, converter(column.type))
        self._keeps_text = column.type == "JSON" and column.as_ is None

    def find(self, record: Node) -> msgspec.Raw | None:
        return next((raw for path in self.column.path if (raw := record.at(path)) is not None), None)

    def convert(self, raw: msgspec.Raw) -> Any:
        """The typed value.

        Raises:
            UnfitError: the value is not of the column's type.
            RejectError: out of the declared range.
        """
        if self._keeps_text:
            return raw
        try:
            value = self._decode(raw)
        except msgspec.DecodeError:
            raise UnfitError("unreadable") from None
        if self.column.expandable and isinstance(value, dict):
            value = value.get("id")
        return None if value is None else self._convert(value)


class _TableReader:
    """Reads the rows of one table."""

    def __init__(self, table: TableSpec, *, strict: bool, rests: Mapping[str, Rest]) -> None:
        self.stream = table.stream
        self._rests = rests if table.child is None else {}
        self._row = row_type(table)
        self._readers = [_ColumnReader(column, is_required(table, column)) for column in own_columns(table)]
        self._known = _tree(table)
        self._strict = strict
        self.inherited = tuple(table.child.inherit.values()) if table.child else ()
        self.path = table.child.path if table.child else ""

    def read(self, record: Node, inherited: tuple[Any, ...] = ()) -> tuple[Any, list[Drift]]:
        """The row and what drifted.

        Raises:
            RejectError: a key or required column is absent or unfit, a value is out of its range, or there is drift
                that the contract doesn't bear.
        """
        values: list[Any] = []
        drift: list[Drift] = []
        for reader in self._readers:
            raw = reader.find(record)
            value = None
            if raw is not None:
                try:
                    if reader.column.as_ == "rest":
                        value, unfit = self._rest(reader, raw)
                        drift += unfit
                    else:
                        value = reader.convert(raw)
                except RoundedError as error:
                    value = error.value
                    drift.append(Drift("rounded", reader.path, str(error), raw))
                except UnfitError as error:
                    if reader.required:
                        expected = f"expected {reader.column.type}, found {error}"
                        raise RejectError("type", reader.path, expected) from None
                    drift.append(Drift("type", reader.path, str(error), raw))
            if value is None and reader.required:
                raise RejectError("missing", reader.path)
            values.append(value)
        drift.extend(_unknown(record, self._known, ""))
        if drift and self._strict:
            raise RejectError("drift", drift[0].path, f"{drift[0].kind} {drift[0].found}")
        extra = {found.path: _storable(found.value) for found in drift} or None
        return self._row(*inherited, *values, extra), drift

    def _rest(self, reader: _ColumnReader, raw: msgspec.Raw) -> tuple[Any, list[Drift]]:
        if not is_object(raw):
            raise UnfitError(_kind(raw))
        value, unfit = self._rests[reader.column.name].read(raw)
        return value, [Drift("type", path, found, member) for path, found, member in unfit]


class CarefulReader:
    """Reads the records of one stream."""

    def __init__(self, source: Source, contract: Contract, rests: Mapping[str, Rest] | None = None) -> None:
        rests = rests_of(contract) if rests is None else rests
        self._source = source
        self._contract = contract
        strict = contract.mode == Mode.QUARANTINE
        self._tables = {table.stream: _TableReader(table, strict=strict, rests=rests) for table in contract.tables}
        self._own = self._tables[contract.stream]
        self._nested = [(table.stream, table.child.path) for table in nested_tables(contract) if table.child]

    def records(self, body: msgspec.Raw, items: str | None) -> list[msgspec.Raw]:
        """The records of a page."""
        return _list(_fields(body)[items]) if items else [body]

    def groups(self, body: msgspec.Raw, items: str, parent: str | None) -> Iterator[tuple[str, list[msgspec.Raw]]]:
        """The further items of a page, with their parents' ids."""
        for raw in [body] if parent else self.records(body, items):
            node = Node(raw)
            yield (parent, _list(node.fields[items])) if parent else (str(node["from"]["id"]), _list(node.fields["to"]))

    def read(self, raw: msgspec.Raw) -> Reading | Gone | Rejected:
        """A record with what is nested in it: all of it as rows, or it is rejected as a whole."""
        if not is_object(raw):
            return Rejected(RejectError("type", "", "expected object"), None, {})
        record = Node(raw)
        stub = self._source.stub_id(record)
        if stub:
            return Gone(stub)
        try:
            row, drift = self._own.read(record)
            found = [(self._own.stream, one) for one in drift]
            children = []
            for stream, path in self._nested:
                rows, drift = self.items(stream, row, _items_at(record, path))
                children.append((stream, rows))
                found += [(stream, one) for one in drift]
        except RejectError as error:
            return self.rejected(raw, error)
        return Reading(row, children, found, self._merged(record), self._source.deleted_at(record))

    def rejected(self, raw: msgspec.Raw, error: RejectError) -> Rejected:
        """The record as one that is set aside, for that reason."""
        if not is_object(raw):
            return Rejected(error, None, {})
        record = Node(raw)
        deleted_at, merged = self._source.deleted_at(record), self._merged(record)
        return Rejected(error, self._key(record), self._count(record), deleted_at, merged)

    def _merged(self, record: Node) -> list[Any]:
        texts = [record.at(path) for path in self._contract.merged_ids]
        return [_told(text) for text in texts if text is not None]

    def items(self, stream: str, parent: Any, items: list[msgspec.Raw]) -> tuple[list[Any], list[Drift]]:
        """Nested items as rows, with what drifted; `parent` is the parent's row.

        Raises:
            RejectError: one of them breaks the contract.
        """
        table = self._tables[stream]
        inherited = msgspec.structs.astuple(parent)
        columns = [column.name for column in self._contract.columns]
        values = tuple(inherited[columns.index(name)] for name in table.inherited)
        rows, found = [], []
        for raw in items:
            if not is_object(raw):
                raise RejectError("type", table.path, "expected object")
            row, drift = table.read(Node(raw), values)
            rows.append(row)
            found += drift
        return rows, found

    def _key(self, record: Node) -> str | None:
        """The key of a record that could not be read, as far as its parts stand plainly at their paths."""
        columns = {column.name: column for column in self._contract.columns}
        raws = [record.fields.get(columns[name].path[0]) for name in self._contract.key]
        try:
            values = [raw and _value(raw) for raw in raws]
        except msgspec.DecodeError:
            return None
        return "|".join(map(str, values)) if all(isinstance(value, str | int) for value in values) else None

    def _count(self, record: Node) -> dict[str, int]:
        counts = {}
        for stream, path in self._nested:
            try:
                counts[stream] = len(_items_at(record, path))
            except RejectError:
                counts[stream] = 0
        return counts


def _items_at(record: Node, path: str) -> list[msgspec.Raw]:
    """The items of a nested list: a plain array, or a list object's data.

    Raises:
        RejectError: something else stands there.
    """
    raw = record.at(path)
    if raw is None:
        return []
    if is_object(raw):
        raw = Node(raw).at("data")
    if raw is None or memoryview(raw)[0] != ord("["):
        raise RejectError("type", path, "expected a list")
    return _list(raw)


def _tree(table: TableSpec) -> dict[str, Any]:
    """Known fields as nested dicts; `_COVERED` below a path that a column or child takes whole, or `known` ends in."""
    tree: dict[str, Any] = {}
    for path in sorted(known_paths(table), key=lambda path: -path.count(".")):
        *parents, leaf = path.split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[leaf] = _COVERED
    return tree


def _unknown(record: Node, known: dict[str, Any], prefix: str) -> Iterator[Drift]:
    for name, raw in record.fields.items():
        known_below = known.get(name)
        if known_below is None:
            yield Drift("unknown", prefix + name, _kind(raw), raw)
        elif known_below is not _COVERED and raw != NULL:
            node = record.node(name)
            if node is None:
                yield Drift("type", prefix + name, _kind(raw), raw)
            else:
                yield from _unknown(node, known_below, f"{prefix}{name}.")


class ExtraReader:
    """Reads columns that a contract has gained out of what `_extra` kept of their fields, as flattening would have."""

    def __init__(self, table: TableSpec, columns: Collection[str]) -> None:
        # The rest of an object was never unknown, so `_extra` holds none of it.
        own = [column for column in own_columns(table) if column.name in columns and column.as_ != "rest"]
        clear = [column for column in own if column.rule in (None, Rule.CLEAR)]
        self._readers = [_ColumnReader(column, required=False) for column in clear]
        self._paths = [path for column in clear for path in column.path]
        # What is to be hashed or dropped is let go: it is in the column when the record is read again. A rule for
        # personal data is applied in one place, where rows are staged.
        self._protected = [path for column in own if column not in clear for path in column.path]
        self._known = _tree(table)

    def read(self, extra: bytes) -> tuple[dict[str, Any], dict[str, msgspec.Raw]] | None:
        """The values found by column, and what remains in `_extra`; None where it holds nothing for these columns."""
        kept = _fields(extra)
        held = {key for key in kept if overlaps(key, self._protected)}
        held |= {key for key in kept for path in self._paths if path == key or path.startswith(f"{key}.")}
        nodes = {key: Node(_nested(key, kept[key])) for key in held}
        values: dict[str, Any] = {}
        remains = {key: raw for key, raw in kept.items() if key not in held}
        for reader in self._readers:
            for path in reader.column.path:
                raw = next((raw for node in nodes.values() if (raw := node.at(path)) is not None), None)
                if raw is None:
                    continue
                try:
                    values[reader.column.name] = reader.convert(raw)
                except RoundedError as error:
                    values[reader.column.name], remains[path] = error.value, raw
                except (UnfitError, RejectError):
                    remains[path] = raw
                break
        for node in nodes.values():
            remains |= {found.path: found.value for found in _unknown(node, self._known, "")}
        remains = {path: raw for path, raw in remains.items() if not overlaps(path, self._protected)}
        return (values, remains) if values or remains.keys() != kept.keys() else None


def _nested(path: str, raw: msgspec.Raw) -> msgspec.Raw:
    """The record that has nothing but one value at a dotted path."""
    for name in reversed(path.split(".")):
        raw = msgspec.Raw(msgspec.json.encode({name: raw}))
    return raw
