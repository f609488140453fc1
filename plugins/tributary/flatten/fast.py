"""The fast path: a page decoded at once into structs that are generated from the contract.

The structs name what the contract names and nothing else, so a page without surprises becomes rows without a dict per
record; `compile_table` generates the function that reads one row from one struct, as dataclasses generate `__init__`.
Whatever the contract doesn't foresee (an unknown field, another type, a missing key) is declined, and the careful path
reads that record instead. Both build the same structs of rows, so a row doesn't tell which way it came.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any, Union

import msgspec

from tributary.contracts.model import Column, ColumnType, Contract, TableSpec
from tributary.contracts.names import attribute
from tributary.contracts.values import UnfitError, converter, decode_exactly, domain, split
from tributary.flatten.rest import Rest, rests_of
from tributary.flatten.rows import (
    INT64_MAX,
    INT64_MIN,
    NULL,
    Gone,
    Reading,
    RejectError,
    in_range,
    int_range,
    is_raw,
    is_required,
    known_paths,
    nested_tables,
    own_columns,
    row_type,
)
from tributary.sources.base import Source


class DeclinedError(Exception):
    """Something that only the careful path can judge."""


DECLINED = (DeclinedError, msgspec.DecodeError, UnfitError, RejectError)

_value = msgspec.json.Decoder().decode

#: Classes that a column's value may have without any conversion.
_AS_IS = {ColumnType.STRING: "str", ColumnType.INT64: "int", ColumnType.BOOL: "bool"}


class _Node:
    """The reads that a contract declares of one field of a record."""

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.scalar = self.raw = self.covered = False
        #: The integers that every column at this place takes; one outside is for the careful path to judge.
        self.low, self.high = INT64_MIN, INT64_MAX
        #: Whether any column or nested list is at this very place.
        self.wanted = False
        #: For a nested list: the struct of its items. A list object around them is a struct with `data`.
        self.item: Any = None
        self.struct: Any = None
        self.type: Any = msgspec.Raw
        #: For text that is read in other ways as well.
        self.decode: Callable[[Any], Any] | None = None

    def at(self, path: str) -> "_Node":
        node = self
        for name in path.split("."):
            node = node.children.setdefault(name, _Node())
        return node

    @property
    def used(self) -> bool:
        """True if the contract reads anything here or below."""
        return self.wanted or any(child.used for child in self.children.values())

    def build(self, covered: bool = False) -> None:
        """Generate the types, from the leaves up. Where everything below is known, more fields are no surprise."""
        covered = covered or self.covered
        for child in self.children.values():
            child.build(covered)
        named = [(_field(name, n), child.type, None) for n, (name, child) in enumerate(self.children.items())]
        rename = {field: name for (field, _, _), name in zip(named, self.children, strict=True)}
        items = [GenericAlias(list, self.item)] if self.item else []
        fields = [("data", type_) for type_ in items] + named
        wanted: list[Any] = [*items]
        if fields:
            closed = not covered
            self.struct = msgspec.defstruct("Object", fields, rename=rename, gc=False, forbid_unknown_fields=closed)
            wanted.append(self.struct)
        if self.scalar or (wanted and covered):
            wanted.append(Annotated[int, msgspec.Meta(ge=self.low, le=self.high)] | float | str | bool | None)
        if self.raw and wanted:
            self.decode = msgspec.json.Decoder(Union[(*wanted, None)]).decode
        elif wanted:
            self.type = Union[(*wanted, None)]


def _field(name: str, number: int) -> str:
    """A JSON name as Python takes it; `id` keeps its own, since any expanded object is asked for it."""
    return name if name == "id" else f"f{number}"


def _tree(table: TableSpec, items: Mapping[str, Any]) -> _Node:
    root = _Node()
    for path in known_paths(table):
        root.at(path).covered = True
    for column in own_columns(table):
        for path in column.path:
            node = root.at(path)
            node.raw |= is_raw(column)
            node.scalar |= not is_raw(column)
            node.wanted = True
            low, high = int_range(column)
            node.low, node.high = max(node.low, low), min(node.high, high)
            if column.expandable:
                node.at("id").scalar = True
    if table.child is None:
        for path, item in items.items():
            root.at(path).item = item
            root.at(path).wanted = True
        for path in table.contract.merged_ids:
            merged = root.at(path)
            merged.scalar = merged.wanted = True
    root.build()
    return root


class _Source:
    """Python source in the making, with the objects that it refers to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"NULL": NULL, "Declined": DeclinedError}
        self._numbers: dict[str, int] = {}

    def add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def name(self, prefix: str, value: Any = None) -> str:
        """A new name, for a variable or for an object."""
        self._numbers[prefix] = number = self._numbers.get(prefix, 0) + 1
        self.names[f"{prefix}{number}"] = value
        return f"{prefix}{number}"

    def function(self, head: str) -> Any:
        text = "\n".join([head, *self.lines])
        exec(compile(text, f"<{head}>", "exec"), self.names)  # noqa: S102  (names and numbers made here, no content)
        return self.names["read"]


class TableFunction:
    """The generated function of one table, with what it closes over.

    `read(record, *inherited)` returns the row; for the stream's own table a tuple of row, merged ids and one list of
    items per nested child.
    """

    def __init__(self, table: TableSpec, items: Mapping[str, Any], rests: Mapping[str, Rest]) -> None:
        tree = _tree(table, items)
        self._rests = rests
        self.struct = tree.struct
        self.fields = {name: _field(name, n) for n, name in enumerate(tree.children)}
        self._source = _Source()
        #: Node -> the variables with its text and its value.
        self._variables: dict[_Node, tuple[str, str]] = {}
        self._load(tree, "record", 1)
        row = self._source.name("Row", row_type(table))
        parents = [self._source.name("parent") for _ in (table.child.inherit if table.child else ())]
        values = [self._column(column, table, tree) for column in own_columns(table)]
        result = f"{row}({', '.join([*parents, *values, 'None'])})"
        if table.child is None:
            texts = [self._variables[tree.at(path)][1] for path in table.contract.merged_ids]
            merged = f"[text for text in ({''.join(f'{text}, ' for text in texts)}) if text is not None]"
            result = ", ".join([result, merged, *(self._items(tree.at(path)) for path in items)])
        self._source.add(1, f"return {result}")
        self.read: Callable[..., Any] = self._source.function(f"def read({', '.join(['record', *parents])}):")

    def _load(self, node: _Node, struct: str, indent: int) -> list[str]:
        """Take the fields of a struct into variables; returns these."""
        source, taken = self._source, []
        for number, (name, child) in enumerate(node.children.items()):
            if not child.used:
                continue
            text = value = source.name("v")
            taken.append(text)
            source.add(indent, f"{text} = {struct}.{_field(name, number)}")
            if child.raw:
                source.add(indent, f"if {text} == NULL: {text} = None")
            if child.decode:
                value, decode = source.name("v"), source.name("decode", child.decode)
                taken.append(value)
                source.add(indent, f"{value} = None if {text} is None else {decode}({text})")
            self._variables[child] = (text, value)
            if child.struct and any(grandchild.used for grandchild in child.children.values()):
                source.add(indent, f"if type({value}) is {source.name('Object', child.struct)}:")
                below = self._load(child, value, indent + 1)
                source.add(indent, f"else: {' = '.join(below)} = None")
                taken += below
        return taken

    def _column(self, column: Column, table: TableSpec, tree: _Node) -> str:
        """The variable that holds a column's typed value."""
        source, nodes = self._source, [tree.at(path) for path in column.path]
        found = [self._variables[node][0 if is_raw(column) else 1] for node in nodes]
        value = found[0]
        if len(found) > 1:
            value = source.name("c")
            source.add(1, f"{value} = {found[0]}")
            for other in found[1:]:
                source.add(1, f"if {value} is None: {value} = {other}")
        if column.type != ColumnType.JSON or column.as_:
            if column.expandable:
                objects = source.name("Objects", tuple(node.struct for node in nodes))
                given, value = value, source.name("c")
                source.add(1, f"{value} = {given}.id if type({given}) in {objects} else {given}")
            plain = column.type in _AS_IS and column.as_ != "domain"
            as_is = f" or type({value}) is {_AS_IS[column.type]}" if plain else ""
            convert, given, value = source.name("convert", _converter(column, self._rests)), value, source.name("c")
            # An integer is within its range already: the page would not have been decoded otherwise.
            moment = source.name("moment", _moment) if column.type == ColumnType.TIMESTAMP else ""
            seconds = f"{moment}({given}) if type({given}) is int else " if moment else ""
            source.add(1, f"{value} = {given} if {given} is None{as_is} else {seconds}{convert}({given})")
        if is_required(table, column):
            source.add(1, f"if {value} is None: raise Declined")
        return value

    def _items(self, node: _Node) -> str:
        items = self._variables[node][1]
        self._source.add(1, f"if {items} is None: {items} = ()")
        list_object = self._source.name("Object", node.struct)
        self._source.add(1, f"elif type({items}) is {list_object}: {items} = {items}.data")
        self._source.add(1, f"elif type({items}) is not list: raise Declined")
        return items


def _converter(column: Column, rests: Mapping[str, Rest]) -> Callable[[Any], Any]:
    if column.as_ == "rest":
        return lambda raw: _all_fit(*rests[column.name].read(raw))
    if column.as_ == "list":
        return lambda raw: split(_value(raw))
    if column.as_ == "domain":
        return domain
    convert = in_range(column, converter(column.type))
    if is_raw(column):
        return lambda raw: None if (value := decode_exactly(raw)) is None else convert(value)
    return convert


_timestamp = converter(ColumnType.TIMESTAMP)
_MINUTES = tuple(_timestamp(60 * minute)[10:17] for minute in range(24 * 60))
_SECONDS = tuple(f"{second:02d}Z" for second in range(60))


def _all_fit(left: Any, unfit: list[Any]) -> Any:
    if unfit:
        raise DeclinedError
    return left


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    """A day since 1970."""
    return str(_timestamp(number * 86_400))[:-10]


def _moment(value: int) -> Any:
    """Return epoch seconds as the converter in values.py does, from its cached texts for day and minute."""
    day, second = divmod(value, 86_400)
    return _day(day) + _MINUTES[second // 60] + _SECONDS[second % 60]


class _View(Mapping[str, Any]):
    """A struct's top-level fields by their JSON names, for what only the source's module knows about a record."""

    __slots__ = ("_fields", "_record")

    def __init__(self, record: Any, fields: Mapping[str, str]) -> None:
        self._record = record
        self._fields = fields

    def get(self, name: str, default: Any = None) -> Any:
        field = self._fields.get(name)
        value: Any = getattr(self._record, field) if field else None
        if isinstance(value, msgspec.Raw):
            value = _value(value)
        return default if value is None else value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._fields if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FastReader:
    """Reads the records of one stream; every method may raise one of `DECLINED`."""

    def __init__(self, source: Source, contract: Contract, rests: Mapping[str, Rest] | None = None) -> None:
        rests = rests_of(contract) if rests is None else rests
        own, *children = contract.tables
        self._source = source
        self._children = {table.stream: TableFunction(table, {}, {}) for table in children}
        nested = nested_tables(contract)
        self._own = TableFunction(
            own, {table.child.path: self._children[table.stream].struct for table in nested if table.child}, rests
        )
        self._nested = [(table.stream, self._children[table.stream].read) for table in nested]
        self._inherited = {table.stream: _inherited(table) for table in children}
        self._decoders: dict[Any, Callable[[Any], Any]] = {}

    def records(self, body: Any, items: str | None) -> list[Any]:
        """The records of a page."""
        return self._page(body, items, self._own.struct) if items else [self.record(body)]

    def record(self, raw: Any) -> Any:
        """One record."""
        return self._decoder(self._own.struct)(raw)

    def groups(self, body: Any, items: str, child: str, parent: str | None) -> Iterator[tuple[str, list[Any]]]:
        """The further items of a page, with their parents' ids."""
        item = self._children[child].struct
        if parent:
            yield parent, self._page(body, items, item)
            return
        for edges in self._page(body, items, _edges(item)):
            yield str(edges.parent.id), edges.to

    def read(self, record: Any) -> Reading | Gone:
        """A record with what is nested in it, as rows."""
        view = _View(record, self._own.fields)
        if stub := self._source.stub_id(view):
            return Gone(stub)
        row, merged, *nested = self._own.read(record)
        children = []
        for (stream, read), items in zip(self._nested, nested, strict=True):
            inherited = self._inherited[stream](row)
            children.append((stream, [read(item, *inherited) for item in items]))
        return Reading(row, children, (), merged, self._source.deleted_at(view))

    def items(self, stream: str, parent: Any, items: list[Any]) -> list[Any]:
        """Nested items as rows; `parent` is the parent's row."""
        inherited, read = self._inherited[stream](parent), self._children[stream].read
        return [read(item, *inherited) for item in items]

    def _page(self, body: Any, items: str, record: Any) -> list[Any]:
        found: list[Any] = self._decoder(_page(items, record))(body).items
        return found

    def _decoder(self, type_: Any) -> Callable[[Any], Any]:
        if type_ not in self._decoders:
            self._decoders[type_] = msgspec.json.Decoder(type_).decode
        return self._decoders[type_]


@lru_cache(maxsize=64)
def _page(items: str, record: Any) -> Any:
    return msgspec.defstruct("Page", [("items", list[record])], rename={"items": items}, gc=False)


@lru_cache(maxsize=64)
def _edges(item: Any) -> Any:
    end = msgspec.defstruct("End", [("id", str | int)], gc=False)
    return msgspec.defstruct("Edges", [("parent", end), ("to", list[item])], rename={"parent": "from"}, gc=False)


def _inherited(table: TableSpec) -> Callable[[Any], tuple[Any, ...]]:
    """Return the values that a child's rows inherit from their parent's row."""
    assert table.child is not None
    names = [attribute(name) for name in table.child.inherit.values()]
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda row: (get(row),)
