"""Random records under a contract: right, half right and wrong, as `hypothesis` strategies."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tributary.contracts.model import Column, ColumnType, Contract, TableSpec
from tributary.flatten.rows import nested_tables

Json = dict[str, Any]

texts = st.one_of(
    st.sampled_from(
        ["", "usd", "in_1", "1;2", "12:1700000000000;13", "true", "1,234.5", "ünï¢ødé 🙂", 'q"\\/\n\x7f', "in_😀"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
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
    st.sampled_from(
        ["2026-01-05T10:11:12.123Z", "2026-01-05", "2026-01-05T10:11:12+02:00", "1767225600000", "", "20260105", "soon"]
    ),
)
_FITTING: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.STRING: st.one_of(texts, st.integers(-(2**64), 2**64)),
    ColumnType.INT64: st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 9).map(str), st.just(3.0)),
    ColumnType.NUMERIC: st.one_of(
        st.decimals(-(10**12), 10**12, places=4).map(str), st.integers(), st.sampled_from([0.25, "1,000.5", ""])
    ),
    ColumnType.FLOAT64: st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.just("0.5")),
    ColumnType.BOOL: st.sampled_from([True, False, "true", "false", ""]),
    ColumnType.TIMESTAMP: moments,
    ColumnType.DATE: moments,
    ColumnType.JSON: anything,
}


def records(table: TableSpec) -> st.SearchStrategy[Any]:
    """Records of a table, with what its contract nests in them."""
    return st.composite(_record)(table)


def _record(draw: Callable[..., Any], table: TableSpec) -> Any:
    own = table.child.columns if table.child else table.contract.columns
    record: Json = {}
    for column in own:
        needed = column.required or column.name in table.key
        # Of several paths, newer before older, a record mostly has one.
        for path in column.path if draw(st.integers(0, 4)) == 0 else [draw(st.sampled_from(column.path))]:
            if needed or draw(st.booleans()):
                _put(record, path, draw(_value(column, needed)))
    for path in table.known:
        if draw(st.integers(0, 3)) == 0:
            _put(record, path.removesuffix(".*"), draw(anything))
    if table.child is None:
        _nest(draw, record, table.contract)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        _spoil(draw, record)
    return draw(anything) if draw(st.integers(0, 50)) == 50 else record


def _nest(draw: Callable[..., Any], record: Json, contract: Contract) -> None:
    for nested in nested_tables(contract):
        assert nested.child
        items = draw(st.lists(records(nested), max_size=3))
        _put(record, nested.child.path, draw(st.sampled_from([items, {"object": "list", "data": items}])))
    for path in contract.merged_ids if draw(st.booleans()) else ():
        _put(record, path, draw(texts))


def _value(column: Column, needed: bool) -> st.SearchStrategy[Any]:
    fitting = _FITTING[column.type]
    if column.min == 0:
        fitting = st.integers(0, 9)
    if needed:
        return st.just("in_1") if column.type == ColumnType.STRING else fitting
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
            inner = record[name] = {}
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
