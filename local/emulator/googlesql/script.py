"""Takes a parsed script apart into the statements that GoogleSQL can analyze, and the variables it declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SCRIPTING = ("ast_script_statement_node", "ast_execute_immediate_statement_node", "ast_call_statement_node")
_TRANSACTION = {
    "ast_begin_statement_node": True,
    "ast_commit_statement_node": False,
    "ast_rollback_statement_node": False,
}


@dataclass(frozen=True)
class Statement:
    """One statement: where it begins (byte), whether it stands in a transaction, its syntax tree."""

    start: int
    in_transaction: bool
    tree: Any

    @property
    def changes_schema(self) -> bool:
        """True for DDL."""
        return bool(self.tree.HasField("ast_ddl_statement_node"))

    @property
    def is_temporary(self) -> bool:
        """True for CREATE TEMP …."""
        return any(_scopes(self.tree))

    @property
    def drops(self) -> str | None:
        """The name in DROP TABLE, with its dots."""
        ddl = self.tree.ast_ddl_statement_node
        if not ddl.HasField("ast_drop_statement_node"):
            return None
        return ".".join(part.id_string for part in ddl.ast_drop_statement_node.name.names)


@dataclass(frozen=True)
class Variable:
    """A variable that DECLARE makes: its name and the name of its type, None where only a default tells it."""

    name: str
    type: str | None


def take_apart(script: Any) -> Iterator[Statement | Variable]:
    """Yield statements and variables in the order of the text; the branches of an IF, one after the other."""
    in_transaction = False
    for tree in _statements(script):
        kind = tree.WhichOneof("node")
        if kind == "ast_script_statement_node":
            yield from _variables(tree.ast_script_statement_node)
            continue
        if kind in _SCRIPTING:
            continue
        yield Statement(_range(tree).start, in_transaction, tree)
        in_transaction = _TRANSACTION.get(kind, in_transaction)


def with_texts(
    parts: Iterator[Statement | Variable], text: str
) -> Iterator[tuple[Statement, str] | tuple[Variable, str]]:
    """Yield each part with its text: from where it begins to where the next statement does. A variable has none."""
    found, encoded = list(parts), text.encode()
    starts = [part.start for part in found if isinstance(part, Statement)]
    ends = dict(zip(starts, [*starts[1:], len(encoded)], strict=True))
    for part in found:
        if isinstance(part, Statement):
            yield part, encoded[part.start : ends[part.start]].decode().strip()
        else:
            yield part, ""


def _statements(message: Any) -> Iterator[Any]:
    for field, value in message.ListFields():
        if field.name == "statement_list" and field.is_repeated:
            for statement in value:
                yield statement
                if statement.WhichOneof("node") == "ast_script_statement_node":
                    yield from _statements(statement.ast_script_statement_node)
        elif field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                yield from _statements(each)


def _variables(statement: Any) -> Iterator[Variable]:
    if not statement.HasField("ast_variable_declaration_node"):
        return
    declared = statement.ast_variable_declaration_node
    simple = declared.type.ast_simple_type_node if declared.HasField("type") else None
    names = [part.id_string for part in simple.type_name.names] if simple is not None else []
    for variable in declared.variable_list.identifier_list:
        yield Variable(variable.id_string, names[0].upper() if len(names) == 1 else None)


def _scopes(message: Any) -> Iterator[bool]:
    """The scope of the statement itself: the first one on the way down."""
    for field, value in message.ListFields():
        if field.name == "scope":
            yield value == field.enum_type.values_by_name["TEMPORARY"].number
            return
        if field.message_type is not None and not field.is_repeated:
            yield from _scopes(value)


def _range(message: Any) -> Any:
    """Return where a node stands in the text, which the outermost of its base classes keeps."""
    for field, value in message.ListFields():
        if field.name == "parse_location_range":
            return value
        if field.message_type is not None and not field.is_repeated:
            return _range(value)
    raise ValueError(f"{message.DESCRIPTOR.name} has no position")
