"""SQL that the emulator translates into something with another result than BigQuery's.

`before` changes the BigQuery statement ahead of the emulator's translation, `after` the DuckDB statement that comes
out of it. Statements that can't contain the construct are passed on without being parsed again.
"""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp

WEEK_SHIFT = {"MONDAY": 0, "TUESDAY": 1, "WEDNESDAY": 2, "THURSDAY": 3, "FRIDAY": 4, "SATURDAY": 5, "SUNDAY": -1}
"""Days from Monday to the first day of the week."""

MICROSECONDS = {"DAY": 86_400_000_000, "HOUR": 3_600_000_000, "MINUTE": 60_000_000}

WIDER = {("18", "3"): ("38", "9"), ("38", "5"): ("38", "15"), (): ("38", "9")}
"""What stock makes of NUMERIC and BIGNUMERIC in SQL: 3 and 5 decimals instead of 9 and (as far as fits) 15."""

_BEFORE = re.compile(r"week|timestamp_diff|\bdiv\s*\(|current_datetime", re.IGNORECASE)
_AFTER = re.compile(r"DECIMAL|DATE_TRUNC|GROUP BY|INSERT ROW", re.IGNORECASE)


def apply() -> None:
    """Wrap the emulator's translator and two of its rewriting rules."""
    from bqemulator.domain.result import Ok
    from bqemulator.sql import translator
    from bqemulator.sql.rewriter import aggregate_variants, create_table_schema_ctas

    translate = translator.SQLTranslator.translate

    def translate_with_fixes(self: Any, sql: str, **options: Any) -> Any:
        result = translate(self, before(sql), **options)
        return Ok(after(result.value)) if isinstance(result, Ok) else result

    translator.SQLTranslator.translate = translate_with_fixes
    _array_agg_distinct_ignore_nulls(aggregate_variants)
    _create_table_with_columns_as_parenthesised_select(create_table_schema_ctas)


def before(sql: str) -> str:
    """The BigQuery statement with calls that the translation would get wrong replaced."""
    if not _BEFORE.search(sql):
        return sql
    try:
        tree = sqlglot.parse_one(sql, read="bigquery").transform(_bigquery_node, copy=False)
    except sqlglot.errors.SqlglotError:
        # Scripts and newer syntax: the emulator has its own way with them, or its own error.
        return sql
    return str(tree.sql(dialect="bigquery", copy=False))


def after(sql: str) -> str:
    """The DuckDB statement with the translation's mistakes mended."""
    if not _AFTER.search(sql):
        return sql
    try:
        tree = sqlglot.parse_one(sql, read="duckdb").transform(_duckdb_node, copy=False)
    except sqlglot.errors.SqlglotError:
        return sql
    for select in tree.find_all(exp.Select):
        _group_by_position(select)
    # MERGE … INSERT ROW: DuckDB's word for "all columns" is to leave the list out.
    return str(tree.sql(dialect="duckdb", copy=False)).replace("THEN INSERT ROW", "THEN INSERT")


def _bigquery_node(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc | exp.DatetimeTrunc):
        return _week_trunc(node)
    if isinstance(node, exp.DateDiff):
        return _week_diff(node)
    if isinstance(node, exp.TimestampDiff):
        return _timestamp_diff(node)
    if isinstance(node, exp.IntDiv):
        return _div(node)
    if isinstance(node, exp.CurrentDatetime) and not node.this:
        # CURRENT_DATETIME() is not translated at all.
        return exp.cast(exp.CurrentTimestamp(), "DATETIME")
    return node


def _week_trunc(node: exp.Expression) -> exp.Expression:
    """Weeks begin on Sunday or the day named. Stock: on Monday for columns, on Sunday for literals, or an error."""
    shift = _week_shift(node.args.get("unit"))
    if shift is None or node.args.get("zone"):
        return node
    return _call("TB_WEEK", _number(shift), node.this.copy())


def _week_diff(node: exp.DateDiff) -> exp.Expression:
    """DATE_DIFF(…, WEEK / ISOWEEK / WEEK(MONDAY)): stock is off by one."""
    shift = _week_shift(node.args.get("unit"))
    if shift is None:
        return node
    return _call("TB_WEEK_DIFF", _number(shift), node.this.copy(), node.expression.copy())


def _timestamp_diff(node: exp.TimestampDiff) -> exp.Expression:
    """TIMESTAMP_DIFF counts full units. Stock counts boundaries: 1 second over midnight is 1 DAY."""
    unit = node.args.get("unit")
    microseconds = MICROSECONDS.get(unit.name.upper()) if unit is not None else None
    if microseconds is None:
        return node
    return _call("TB_TIMESTAMP_DIFF", node.this.copy(), node.expression.copy(), exp.Literal.number(microseconds))


def _div(node: exp.IntDiv) -> exp.Expression:
    """DIV(10 - 4, 3) is 2. Stock writes `10 - 4 // 3`, which is 9."""
    mended = node.copy()
    for side in ("this", "expression"):
        if isinstance(mended.args[side], exp.Binary) and not isinstance(mended.args[side], exp.Dot):
            mended.set(side, exp.Paren(this=mended.args[side]))
    return mended


def _duckdb_node(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL:
        # CAST(x AS NUMERIC) and NUMERIC columns silently keep 3 decimals.
        wider = WIDER.get(tuple(size.name for size in node.expressions))
        return exp.DataType.build(f"DECIMAL({', '.join(wider)})", dialect="duckdb") if wider else node
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        # DATE_TRUNC(<DATE column>, MONTH) comes out as DATETIME.
        return _call("TB_TRUNC", exp.Literal.string(node.args["unit"].name.lower()), node.this.copy())
    return node


def _group_by_position(select: exp.Select) -> None:
    """A name in GROUP BY means the SELECT list's alias. DuckDB looks at FROM first: ambiguous, or another column."""
    group = select.args.get("group")
    if not group:
        return
    position = {
        item.alias.lower(): number
        for number, item in enumerate(select.expressions, start=1)
        if isinstance(item, exp.Alias) and not _renames_itself(item) and not item.this.find(exp.AggFunc)
    }
    group.set(
        "expressions",
        [
            exp.Literal.number(position[key.name.lower()])
            if isinstance(key, exp.Column) and not key.table and key.name.lower() in position
            else key
            for key in group.expressions
        ],
    )


def _renames_itself(item: exp.Alias) -> bool:
    column = item.this
    return isinstance(column, exp.Column) and not column.table and column.name.lower() == item.alias.lower()


def _array_agg_distinct_ignore_nulls(aggregate_variants: Any) -> None:
    """ARRAY_AGG(DISTINCT x IGNORE NULLS) filters on `DISTINCT x IS NOT NULL`, which doesn't parse."""
    target = aggregate_variants._filter_target

    def without_distinct(operand: Any) -> Any:
        found = target(operand)
        return found.expressions[0] if isinstance(found, exp.Distinct) else found

    aggregate_variants._filter_target = without_distinct


def _create_table_with_columns_as_parenthesised_select(create_table_schema_ctas: Any) -> None:
    """CREATE TABLE t (columns) AS (SELECT …), as dbt writes it for contracts: the parentheses are not expected."""
    first_select = create_table_schema_ctas._first_select

    def look_inside(body: Any) -> Any:
        while isinstance(body, exp.Subquery | exp.Paren):
            body = body.this
        return first_select(body)

    create_table_schema_ctas._first_select = look_inside


def _week_shift(unit: exp.Expression | None) -> int | None:
    if unit is None:
        return None
    if isinstance(unit, exp.WeekStart):
        return WEEK_SHIFT.get(unit.this.name.upper())
    return {"WEEK": WEEK_SHIFT["SUNDAY"], "ISOWEEK": WEEK_SHIFT["MONDAY"]}.get(unit.name.upper())


def _number(value: int) -> exp.Expression:
    literal = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))
