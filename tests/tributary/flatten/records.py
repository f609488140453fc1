"""Random records under a contract: right, half right and wrong, as `hypothesis` strategies."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tributary.contracts.model import Column, ColumnType, Contract, TableSpec
from tributary.flatten.rows import int_range, nested_tables, own_columns

Json = dict[str, Any]

texts = st.one_of(
    st.sampled_from(
        ["", "usd", "in_1", "1;2", "12:1700000000000;13", "true", "1,234.5", "ünï¢ødé 🙂", 'q"\\/\n\x7f', "in_😀"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
#: Text in number and date columns that is none, or that takes care to read.
_WRITTEN = "7e5000000 2E40000000 -1e1000 1e999 1e309 1e-999 2.750,90 8,5 3_500 \uff14\uff15 0,500 1,234,567.5"
_WRITTEN += " 917.43119266055 0.200000000000000011102230246251565404236316680908203125 0.30000000000000004 nan -inf"
_WRITTEN += " 5. .5 +5 --5 20270315 1801000000 0 -1 1767225600123456 9999999999999999999999999999999999999999"
odd = st.sampled_from([*_WRITTEN.split(), " 5"])
numbers = st.one_of(
    st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1.0, 0.1, 1e3, -0.0, 1e300, 12.500000001, 1.1e-12]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
moments = st.one_of(
    st.integers(0, 4_000_000_000),
    odd,
    st.sampled_from(
        ["2026-01-05T10:11:12.123Z", "2026-01-05", "2026-01-05T10:11:12+02:00", "1767225600000", "", "20260105", "soon"]
    ),
)
_CLEAN: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.STRING: st.one_of(st.sampled_from(["usd", "ünï¢ødé 🙂", 'q"\\/\n', ""]), st.integers(0, 10**12)),
    ColumnType.INT64: st.one_of(st.integers(0, 9), st.integers(0, 9).map(str), st.just("")),
    ColumnType.NUMERIC: st.sampled_from(["10.50", 3, 0.25, "1,000.5", ""]),
    ColumnType.BIGNUMERIC: st.sampled_from(["10.50", 3, 0.25, "1.5e-12", ""]),
    ColumnType.FLOAT64: st.sampled_from([0.5, 1, "0.5"]),
    ColumnType.BOOL: st.sampled_from([True, False, "true", ""]),
    ColumnType.TIMESTAMP: st.one_of(
        st.integers(0, 4_000_000_000), st.sampled_from(["2026-01-05T10:11:12.123Z", "1767225600000"])
    ),
    ColumnType.DATE: st.sampled_from(["2026-01-05", "1767225600000"]),
    ColumnType.JSON: anything,
}
_WILD: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.STRING: st.one_of(texts, st.integers(-(2**64), 2**64)),
    ColumnType.INT64: st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 9).map(str), st.just(3.0), odd),
    ColumnType.NUMERIC: st.one_of(
        st.decimals(-(10**12), 10**12, places=4).map(str), st.integers(), st.sampled_from([0.25, "1,000.5", ""]), odd
    ),
    ColumnType.BIGNUMERIC: st.one_of(st.integers(), st.sampled_from([0.25, "1,000.5", "1e38", "1e-39", ""]), odd),
    ColumnType.FLOAT64: st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.just("0.5"), odd),
    ColumnType.BOOL: st.sampled_from([True, False, "true", "false", ""]),
    ColumnType.TIMESTAMP: moments,
    ColumnType.DATE: moments,
    ColumnType.JSON: anything,
}


def records(table: TableSpec, *, wild: bool | None = None) -> st.SearchStrategy[Any]:
    """Records of a table, with what its contract nests in them; where they aren't wild, they fit."""
    if wild is None:
        return st.one_of(records(table, wild=False), records(table, wild=True))
    return st.composite(_record)(table, wild)


def _record(draw: Callable[..., Any], table: TableSpec, wild: bool) -> Any:
    record: Json = {}
    for column in own_columns(table):
        needed = column.required or column.name in table.key
        # Of several paths, newer before older, a record mostly has one.
        for path in column.path if draw(st.integers(0, 4)) == 0 else [draw(st.sampled_from(column.path))]:
            if needed or draw(st.booleans()):
                value = _value(column, needed, wild)
                if column.type == ColumnType.JSON and _read_below(table, path) and not wild:
                    value = st.none() | st.dictionaries(texts, anything, max_size=3)
                _put(record, path, draw(value))
    for path in (known.removesuffix(".*") for known in table.known):
        if draw(st.integers(0, 3)) == 0 and (wild or not _read_below(table, path)):
            _put(record, path, draw(anything))
    if table.child is None:
        _nest(draw, record, table.contract, wild)
    for _ in range(draw(st.integers(0, 2)) if wild else 0):
        _spoil(draw, record)
    return draw(anything) if wild and draw(st.integers(0, 20)) == 20 else record


def _read_below(table: TableSpec, path: str) -> bool:
    return any(other.startswith(f"{path}.") for column in own_columns(table) for other in column.path)


def _nest(draw: Callable[..., Any], record: Json, contract: Contract, wild: bool) -> None:
    for nested in nested_tables(contract):
        assert nested.child
        items = draw(st.lists(records(nested, wild=wild), max_size=3))
        _put(record, nested.child.path, draw(st.sampled_from([items, {"object": "list", "data": items}])))
    for path in contract.merged_ids if draw(st.booleans()) else ():
        _put(record, path, draw(texts))


def _value(column: Column, needed: bool, wild: bool) -> st.SearchStrategy[Any]:
    if column.as_ == "list" and not wild:
        return st.none() | texts
    fitting = (_WILD if wild else _CLEAN)[column.type]
    if column.min is not None or column.max is not None:
        if column.type in (ColumnType.INT64, ColumnType.TIMESTAMP):
            low, high = int_range(column)
        else:
            low, high = int(column.min or 0), int(column.max or 1)  # type: ignore[arg-type]  # numbers
        inside = st.sampled_from([low, low + 1, min(high, 10**11)])
        outside = st.sampled_from([low - 1, min(high, 10**11) + 1, "0001-01-01T00:00:00Z", "20000-01-01", 10**12])
        fitting = (fitting | inside | inside.map(str) | outside) if wild else inside
    if needed:
        return (
            st.just("in_1") if column.type == ColumnType.STRING else fitting.filter(lambda value: wild or value != "")
        )
    if column.expandable:
        deleted = st.builds(lambda id_: {"id": id_, "deleted": True}, fitting)
        whole = st.builds(lambda id_, more: more | {"id": id_}, fitting, st.dictionaries(texts, anything, max_size=3))
        return st.one_of(fitting, fitting, deleted, whole, st.none())
    return st.one_of(fitting, fitting, fitting, st.none())


def _put(record: Json, path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for name in parents:
        inner = record.get(name)
        if not isinstance(inner, dict):
            # Something below an id: the object of that id stands there in full.
            inner = record[name] = {"id": inner} if isinstance(inner, str) else {}
        record = inner
    record[leaf] = value


def _spoil(draw: Callable[..., Any], record: Json) -> None:
    """Put something at a random place: another value, nothing, or a field that nobody declared."""
    while True:
        inner = [value for value in record.values() if isinstance(value, dict)]
        if not inner or draw(st.booleans()):
            break
        record = draw(st.sampled_from(inner))
    names = [*record, "brand_new", "deleted", "archived"]
    record[draw(st.sampled_from(names))] = draw(anything)
