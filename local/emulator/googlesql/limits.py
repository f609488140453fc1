"""BigQuery's own rules, which GoogleSQL doesn't know. Each has the documented limit and its page.

Quotas: https://cloud.google.com/bigquery/quotas
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.emulator.googlesql.resolved import Made, column_of
from local.emulator.googlesql.script import Statement
from local.emulator.googlesql.service import Refused

QUERY_BYTES = 1024**2
"""Text of a query as sent ("maximum unresolved GoogleSQL query length")."""

RESOLVED_BYTES = 12 * 1024**2
"""Text of a query with the views that it reads ("maximum resolved … query length")."""

COLUMNS = 10_000
"""Columns of a table, and of a load job."""

PARTITIONS, PARTITIONS_OF_A_JOB = 10_000, 4_000
"""Partitions of a table, and those that one job may change."""

CLUSTERING_COLUMNS = 4
COLUMN_NAME, COLUMN_DESCRIPTION, TABLE_DESCRIPTION = 300, 1_024, 16_384
LABELS, LABEL = 64, 63
ROW_BYTES = 100 * 1024**2
"""A row of a load job."""

RESERVED_PREFIXES = (
    "_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER", "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE", "_CHANGE_TIMESTAMP",
)  # fmt: skip
"""https://cloud.google.com/bigquery/docs/schemas#column_names"""

PARTITIONABLE = {"DATE", "TIMESTAMP", "DATETIME", "INT64", "INTEGER"}
"""https://cloud.google.com/bigquery/docs/partitioned-tables"""

CLUSTERABLE = {
    "BIGNUMERIC", "BOOL", "BOOLEAN", "BYTES", "DATE", "DATETIME", "GEOGRAPHY", "INT64", "INTEGER", "NUMERIC", "RANGE",
    "STRING",    "TIMESTAMP",
}  # fmt: skip
"""https://cloud.google.com/bigquery/docs/clustered-tables#cluster_column_types"""

_LABEL_KEY = re.compile(r"[^\W\d_][\w-]*")
_LABEL_VALUE = re.compile(r"[\w-]*")


def check_text(sql: str) -> None:
    """Refuse a query that is too long."""
    size = len(sql.encode())
    if size > QUERY_BYTES:
        raise Refused(
            f"The query is too large. The maximum standard SQL query length is {QUERY_BYTES // 1024:,}K characters, "
            f"including comments and white space characters; this one has {size:,}."
        )


def check_resolved_text(sql: str, views: Iterable[str]) -> None:
    """Refuse a query that is too long together with the views that it reads, each as often as it is read."""
    size = len(sql.encode()) + sum(len(view.encode()) for view in views)
    if size > RESOLVED_BYTES:
        raise Refused(f"Resolved query is too large: {size:,} bytes with its views, at most {RESOLVED_BYTES:,}.")


def check_locations(datasets: Mapping[str, str]) -> None:
    """Refuse a job, and so a view, over datasets of two locations: https://cloud.google.com/bigquery/docs/locations."""
    first = next(iter(datasets.items()), None)
    for name, location in datasets.items():
        if first is not None and location.upper() != first[1].upper():
            raise Refused(f"Dataset {name} is in {location}, dataset {first[0]} in {first[1]}: no job reads both")


def check_statement(statement: Statement, temporary: Iterable[str], text: str) -> None:
    """Refuse DDL on permanent entities in a transaction: https://cloud.google.com/bigquery/docs/transactions."""
    if not statement.in_transaction or not statement.changes_schema or statement.is_temporary:
        return
    if statement.drops is not None and statement.drops in temporary:
        return
    before = text.encode()[: statement.start].decode()
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    raise Refused(f"DDL on permanent entities is not supported in a transaction [at {line}:{column}]")


def check_made(made: Made) -> None:
    """Refuse a table or view whose columns, partitioning, clustering, descriptions or labels BigQuery doesn't take."""
    columns = made.columns or []
    check_columns([name for name, _, _ in columns])
    for name, _, options in columns:
        check_description(f"column {name}", options.get("description"), COLUMN_DESCRIPTION)
    check_description(made.name, made.options.get("description"), TABLE_DESCRIPTION)
    check_labels(dict(pair for pair in made.options.get("labels", ()) if len(pair) == 2))
    if len(made.partition_by) > 1:
        raise Refused(f"Only a single PARTITION BY expression is supported but found {len(made.partition_by)}")
    for expression in made.partition_by:
        _check_type("PARTITION BY", column_of(expression), PARTITIONABLE)
    if len(made.cluster_by) > CLUSTERING_COLUMNS:
        raise Refused(f"CLUSTER BY has {len(made.cluster_by)} columns, at most {CLUSTERING_COLUMNS} are supported")
    for expression in made.cluster_by:
        _check_type("CLUSTER BY", column_of(expression), CLUSTERABLE)


def check_resource(table: Mapping[str, Any]) -> None:
    """Refuse a table resource of the REST API (tables.insert, tables.update) that breaks the same rules."""
    fields = (table.get("schema") or {}).get("fields") or []
    check_columns([field.get("name", "") for field in fields])
    for field in fields:
        check_description(f"column {field.get('name')}", field.get("description"), COLUMN_DESCRIPTION)
    check_description("the table", table.get("description"), TABLE_DESCRIPTION)
    check_labels(table.get("labels") or {})
    types = {
        field.get("name", "").lower(): "ARRAY" if field.get("mode") == "REPEATED" else field.get("type", "").upper()
        for field in fields
    }
    partitioned = (table.get("timePartitioning") or table.get("rangePartitioning") or {}).get("field")
    clustered = (table.get("clustering") or {}).get("fields") or []
    if len(clustered) > CLUSTERING_COLUMNS:
        raise Refused(f"Clustering has {len(clustered)} columns, at most {CLUSTERING_COLUMNS} are supported")
    if not types:
        return
    for where, names, allowed in (
        ("partitioning", [partitioned] if partitioned else [], PARTITIONABLE),
        ("clustering", clustered, CLUSTERABLE),
    ):
        for name in names:
            if name.lower() not in types:
                raise Refused(f"The field specified for {where} cannot be found in the schema: {name}")
            if types[name.lower()] not in allowed:
                raise Refused(f"Column {name} of type {types[name.lower()]} can't be used for {where}")


def check_columns(names: list[str]) -> None:
    """Refuse column names that are too many, too long, reserved, or the same but for their case."""
    if len(names) > COLUMNS:
        raise Refused(f"Too many columns: {len(names):,}, at most {COLUMNS:,}")
    seen: set[str] = set()
    for name in names:
        if len(name) > COLUMN_NAME:
            raise Refused(f"Invalid field name: {name[:40]}… has {len(name)} characters, at most {COLUMN_NAME}")
        if name.upper().startswith(RESERVED_PREFIXES):
            raise Refused(f'Invalid field name "{name}". Field names are not allowed to start with a reserved prefix')
        if name.lower() in seen:
            raise Refused(f"Duplicate column name {name}")
        seen.add(name.lower())


def check_description(what: str, text: str | None, limit: int) -> None:
    """Refuse a description that is too long."""
    if text is not None and len(text) > limit:
        raise Refused(f"The description for {what} is too long: {len(text):,} characters, at most {limit:,}")


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that BigQuery doesn't take: https://cloud.google.com/bigquery/docs/labels-intro#requirements."""
    if len(labels) > LABELS:
        raise Refused(f"{len(labels)} labels, at most {LABELS}")
    for name, value in labels.items():
        fits = _LABEL_KEY.fullmatch(name) and _LABEL_VALUE.fullmatch(value or "")
        if not fits or any(len(text) > LABEL or text != text.lower() for text in (name, value or "")):
            raise Refused(f'Label "{name}": "{value}" does not meet the requirements for labels')


def _check_type(where: str, column: tuple[str, Any] | None, allowed: set[str]) -> None:
    if column is None:
        return
    name, kind = column
    found = (
        kind.DESCRIPTOR.fields_by_name["type_kind"]
        .enum_type.values_by_number[kind.type_kind]
        .name.removeprefix("TYPE_")
    )
    if found not in allowed:
        raise Refused(f"{where} expression references column {name} of type {found}, which is not supported there")
