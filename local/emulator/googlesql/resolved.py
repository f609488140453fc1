"""Reads what matters here out of a statement that GoogleSQL has resolved (a protocol buffer)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_WRITES = (
    "resolved_insert_stmt_node",
    "resolved_update_stmt_node",
    "resolved_delete_stmt_node",
    "resolved_merge_stmt_node",
    "resolved_truncate_stmt_node",
)


@dataclass(frozen=True)
class Made:
    """A table, view or function that a statement makes. Columns are (name, type, options), None of a function."""

    name: str
    columns: Sequence[tuple[str, Any, Mapping[str, Any]]] | None
    options: Mapping[str, Any] = field(default_factory=dict)
    partition_by: list[Any] = field(default_factory=list)
    cluster_by: list[Any] = field(default_factory=list)
    #: Whether the columns come on top of those that there are: ALTER TABLE ADD COLUMN.
    added: bool = False


def made(statement: Any) -> Made | None:
    """Return what a CREATE or ALTER TABLE makes; None of any other statement."""
    kind = statement.WhichOneof("node")
    if kind == "resolved_alter_object_stmt_node":
        return _altered(statement)
    if kind != "resolved_create_statement_node":
        return None
    fields = dict(_flat(statement))
    name = ".".join(fields["name_path"])
    if "resolved_create_function_stmt_node" in fields or "function_expression" in fields:
        return Made(name, None)
    definitions = fields.get("column_definition_list") or ()
    columns = [(each.name, each.type, _options(each.annotations.option_list)) for each in definitions]
    if not columns:
        columns = [(each.name, each.column.type, {}) for each in fields.get("output_column_list") or ()]
    return Made(
        name,
        columns,
        _options(fields.get("option_list") or ()),
        list(fields.get("partition_by_list") or ()),
        list(fields.get("cluster_by_list") or ()),
    )


def written(statement: Any) -> str | None:
    """Return the full name of the table that DML changes; None of any other statement."""
    kind = statement.WhichOneof("node")
    return str(getattr(statement, kind).table_scan.table.full_name) if kind in _WRITES else None


def column_of(expression: Any) -> tuple[str, Any] | None:
    """Return name and type of the column in a PARTITION BY or CLUSTER BY expression."""
    for found, value in _all(expression):
        if found == "resolved_column_ref_node":
            return value.column.name, value.column.type
    return None


def _altered(statement: Any) -> Made | None:
    node = statement.resolved_alter_object_stmt_node
    columns = [
        (
            value.column_definition.name,
            value.column_definition.type,
            _options(value.column_definition.annotations.option_list),
        )
        for found, value in _all(node)
        if found == "resolved_add_column_action_node"
    ]
    names = next((value for found, value in _all(node) if found == "name_path"), ())
    return Made(".".join(names), columns, added=True) if columns else None


def _flat(message: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a node with those of its base classes, which are messages within messages."""
    for found, value in message.ListFields():
        yield found.name, value
        if found.message_type is not None and not found.is_repeated and found.name not in ("query", "like_table"):
            yield from _flat(value)


def _all(message: Any) -> Iterator[tuple[str, Any]]:
    for found, value in message.ListFields():
        yield found.name, value
        if found.message_type is not None:
            for each in value if found.is_repeated else (value,):
                yield from _all(each)


def _options(options: Any) -> dict[str, Any]:
    """OPTIONS (…) with text values and lists of pairs, as those of labels are."""
    found: dict[str, Any] = {}
    for option in options:
        value = option.value.resolved_literal_node.value.value
        if value.HasField("string_value"):
            found[option.name] = value.string_value
        elif value.HasField("array_value"):
            found[option.name] = [
                [part.string_value for part in element.struct_value.field] for element in value.array_value.element
            ]
    return found
