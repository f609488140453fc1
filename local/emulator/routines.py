"""SQL functions (CREATE FUNCTION)."""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp

_SCALAR = re.compile(r"DATE|DATETIME|TIMESTAMP|TIME|STRING|INT64|FLOAT64|NUMERIC|BIGNUMERIC|BOOL|BYTES", re.IGNORECASE)


def apply() -> None:
    """Give arguments in a function's body their declared type.

    A SQL function becomes a DuckDB macro, whose arguments have the type of whatever is passed: with a literal, the
    body computes in another type than declared.
    """
    from bqemulator.udf import sql_udf

    materialize = sql_udf.SQLUDFRuntime.materialize

    def materialize_typed(self: Any, routine: Any, engine: Any) -> Any:
        return materialize(self, _typed(routine), engine)

    sql_udf.SQLUDFRuntime.materialize = materialize_typed


def _typed(routine: Any) -> Any:
    types = {name: kind for name, kind in map(_argument, routine.arguments) if _SCALAR.fullmatch(kind)}

    def cast(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and not node.table and not isinstance(node.parent, exp.Dot):
            kind = types.get(node.name.lower())
            return exp.cast(node.copy(), kind, dialect="bigquery") if kind else node
        return node

    try:
        select = sqlglot.parse_one("SELECT " + routine.definition_body, read="bigquery")
    except sqlglot.errors.SqlglotError:
        return routine
    select.set("expressions", [item.transform(cast) for item in select.expressions])
    body = select.sql(dialect="bigquery").removeprefix("SELECT ")
    return routine.model_copy(update={"definition_body": body})


def _argument(argument: Any) -> tuple[str, str]:
    kind = argument.data_type
    return argument.name.lower(), str((kind.get("typeKind") if isinstance(kind, dict) else kind) or "")
