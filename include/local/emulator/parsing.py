"""Speed: the emulator parses every statement about twenty times, in steps that know nothing of each other.

More than half of its time went there. On top of that the compiled sqlglot, for each statement that it generates, parses
seventeen templates of DuckDB SQL which the plain one parses once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from sqlglot import exp

REMEMBERED = 512
"""Statements whose parse is kept: those of a few queries with all their intermediate forms, plus the templates."""


def apply() -> None:
    """Let sqlglot's parser remember what it has parsed."""
    from sqlglot.dialects.dialect import Dialect

    parse = Dialect.parse
    known: OrderedDict[tuple[Any, ...], tuple[bool, list[Any]]] = OrderedDict()

    def parse_once(self: Any, sql: str, **options: Any) -> list[Any]:
        key = (type(self), sql, *sorted(options.items()))
        try:
            shared, trees = known[key]
            known.move_to_end(key)
        except KeyError:
            trees = parse(self, sql, **options)
            shared = type(self) is Dialect and any(tree is not None and tree.find(exp.Placeholder) for tree in trees)
            known[key] = shared, trees
            if len(known) > REMEMBERED:
                known.popitem(last=False)
        except TypeError:  # options that can't be a key
            return parse(self, sql, **options)
        # Callers change what they get, but for templates in no dialect: those are copied when they are filled in.
        return trees if shared else [tree.copy() if tree is not None else None for tree in trees]

    Dialect.parse = parse_once  # type: ignore[method-assign]
    _options_of_columns()


def _options_of_columns() -> None:
    """CREATE TABLE t (c STRING OPTIONS (…)): the compiled sqlglot refuses to tell the kind of such a constraint."""
    from bqemulator.jobs import ddl_result

    def is_not_null(column: exp.ColumnDef) -> bool:
        return any(
            isinstance(constraint.args.get("kind"), exp.NotNullColumnConstraint)
            for constraint in column.args.get("constraints") or ()
        )

    ddl_result._has_not_null_constraint = is_not_null
