"""Tells the analyzer the tables of BigQuery's catalogue, as protocol buffers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from local.emulator.googlesql import gaps

Path = tuple[str, ...]
"""A table as a statement names it: `a.b.c` in one pair of backquotes is one part."""

Fields = Iterable[Mapping[str, Any]]
"""The columns of a table as BigQuery's REST API has them."""

_KINDS = {
    "STRING": "STRING", "BYTES": "BYTES", "INTEGER": "INT64", "INT64": "INT64", "FLOAT": "DOUBLE", "FLOAT64": "DOUBLE",
    "BOOLEAN": "BOOL", "BOOL": "BOOL", "TIMESTAMP": "TIMESTAMP", "DATE": "DATE", "TIME": "TIME", "DATETIME": "DATETIME",
    "NUMERIC": "NUMERIC", "BIGNUMERIC": "BIGNUMERIC", "JSON": "JSON", "GEOGRAPHY": "GEOGRAPHY", "INTERVAL": "INTERVAL",
}  # fmt: skip


class UnknownType(Exception):
    """Raised for a column or variable of a type that isn't handed to the analyzer."""


def columns(fields: Fields) -> list[Any]:
    """Return columns (SimpleColumnProto) for a table's schema."""
    return [column(field["name"], _type_of(field)) for field in fields]


def column(name: str, kind: Any) -> Any:
    """Return a column (SimpleColumnProto)."""
    from zetasql.wasi._pb2.zetasql.public import simple_table_pb2

    return simple_table_pb2.SimpleColumnProto(name=name, type=kind)


def simple_type(name: str) -> Any:
    """Return a scalar type (TypeProto) by BigQuery's name of it."""
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    kind = _KINDS.get(re.sub(r"\(.*", "", name.upper()))
    if kind is None:
        raise UnknownType(name)
    return type_pb2.TypeProto(type_kind=type_pb2.TypeKind.Value(f"TYPE_{kind}"))


def parameter_type(kind: Mapping[str, Any]) -> Any:
    """Return the type (TypeProto) of a query parameter, from a REST `parameterType`."""
    if kind["type"] == "ARRAY":
        return _array(parameter_type(kind["arrayType"]))
    if kind["type"] == "STRUCT":
        return _struct((each.get("name", ""), parameter_type(each["type"])) for each in kind["structTypes"])
    return simple_type(kind["type"])


def _type_of(field: Mapping[str, Any]) -> Any:
    if field["type"].upper() in ("RECORD", "STRUCT"):
        found = _struct((each["name"], _type_of(each)) for each in field["fields"])
    else:
        found = simple_type(field["type"])
    return _array(found) if field.get("mode") == "REPEATED" else found


def _array(element: Any) -> Any:
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    found = type_pb2.TypeProto(type_kind=type_pb2.TypeKind.TYPE_ARRAY)
    found.array_type.element_type.CopyFrom(element)
    return found


def _struct(fields: Iterable[tuple[str, Any]]) -> Any:
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    found = type_pb2.TypeProto(type_kind=type_pb2.TypeKind.TYPE_STRUCT)
    for name, kind in fields:
        found.struct_type.field.add(field_name=name).field_type.CopyFrom(kind)
    return found


def catalog(tables: Mapping[Path, list[Any]], variables: Mapping[str, Any], language: Any) -> Any:
    """Return a catalog (SimpleCatalogProto) of tables (path -> columns) and variables (name -> type)."""
    root = _empty(language)
    nested: dict[Path, Any] = {(): root}
    for path, found in tables.items():
        folder: Path = ()
        for part in path[:-1]:
            deeper = (*folder, part.lower())
            if deeper not in nested:
                nested[deeper] = nested[folder].catalog.add(name=part)
            folder = deeper
        nested[folder].table.add(name=path[-1], full_name=".".join(path), column=found)
    for name, kind in variables.items():
        constant = root.constant.add(name_path=[name])
        constant.type.CopyFrom(kind)
        constant.value.SetInParent()
    return root


def _empty(language: Any) -> Any:
    from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2

    copy = simple_catalog_pb2.SimpleCatalogProto()
    copy.CopyFrom(_with_functions(language.SerializeToString()))
    return copy


@cache
def _with_functions(language: bytes) -> Any:
    from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2

    found = simple_catalog_pb2.SimpleCatalogProto(name="bigquery")
    found.builtin_function_options.language_options.ParseFromString(language)
    found.custom_function.extend(gaps.functions())
    return found
