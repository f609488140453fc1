"""Speed: the emulator parses every statement about twenty times, in steps that know nothing of each other.

More than half of its time went there. On top of that the compiled sqlglot, for each statement that it generates, parses
seventeen templates of DuckDB SQL which the plain one parses once. What is left is copying trees: half of that goes into
the general `deepcopy` of each node's notes, which are flat.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from threading import local
from typing import Any

from sqlglot import exp

REMEMBERED = 512
"""Statements whose parse is kept: those of a few queries with all their intermediate forms, plus the templates."""


def apply() -> None:
    """Let sqlglot's parser remember what it has parsed."""
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.dialects.duckdb import DuckDB

    parse = Dialect.parse
    known: OrderedDict[tuple[Any, ...], tuple[bool, list[Any]]] = OrderedDict()
    looking = _those_who_only_look()

    def parse_once(self: Any, sql: str, **options: Any) -> list[Any]:
        if type(self) is DuckDB:
            return parse(self, sql, **options)  # what comes out of the translation is parsed once: nothing to copy
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
        # Callers change what they get, but for those who only look, and templates in no dialect: copied when filled in.
        return trees if shared or looking() else [tree.copy() if tree is not None else None for tree in trees]

    Dialect.parse = parse_once  # type: ignore[method-assign]
    _copies()
    _options_of_columns()


def _those_who_only_look() -> Callable[[], bool]:
    """Return a function that tells whether the running code only inspects a tree: its kind, or the tables it names."""
    from bqemulator.catalog import ddl_sync
    from bqemulator.jobs import executor
    from bqemulator.scripting import interpreter
    from bqemulator.sql import inner_query

    thread = local()

    def only_looks(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def looking(*arguments: Any, **options: Any) -> Any:
            thread.depth = getattr(thread, "depth", 0) + 1
            try:
                return function(*arguments, **options)
            finally:
                thread.depth -= 1

        return looking

    for module, names in {
        ddl_sync: (
            "_detect_catalog_drop",
            "_detect_create_schema",
            "_detect_plain_create_view",
            "_detect_plain_create_table",
        ),
        executor: ("_reject_dml_on_immutable", "_parse_for_classification"),
        interpreter: ("_is_row_producing",),
        inner_query: ("build_catalog_schema",),
    }.items():
        for name in names:
            setattr(module, name, only_looks(getattr(module, name)))
    return lambda: getattr(thread, "depth", 0) > 0


_PLAIN = {int, str, bool, type(None)}


def _copies() -> None:
    """Copies of trees: the same nodes, with their comments and positions copied as the flat things that they are."""
    from sqlglot.expressions import core

    def copied(value: Any) -> Any:
        if isinstance(value, core.Expr):
            return value.__deepcopy__(None)
        if type(value) is dict:
            return {key: each if type(each) in _PLAIN else deepcopy(each) for key, each in value.items()}
        if type(value) is list:
            return [each if type(each) in _PLAIN else deepcopy(each) for each in value]
        return deepcopy(value)

    vars(core)["deepcopy"] = copied


def _options_of_columns() -> None:
    """CREATE TABLE t (c STRING OPTIONS (…)): the compiled sqlglot refuses to tell the kind of such a constraint."""
    from bqemulator.jobs import ddl_result

    def is_not_null(column: exp.ColumnDef) -> bool:
        return any(
            isinstance(constraint.args.get("kind"), exp.NotNullColumnConstraint)
            for constraint in column.args.get("constraints") or ()
        )

    ddl_result._has_not_null_constraint = is_not_null
