"""Table layouts derived from the contracts, in the form of BigQuery's REST API."""

from typing import Any

from tributary.contracts.model import ColumnType, TableSpec
from tributary.contracts.system import HISTORY_COLUMNS, SYSTEM_COLUMNS

Field = dict[str, Any]
_SQL_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def sql_type(name: str) -> str:
    """A type's name in SQL; the REST API knows three by older ones."""
    return _SQL_TYPES.get(name, name)


def _field(name: str, type_: ColumnType, description: str, *, required: bool = False) -> Field:
    # INTEGER, FLOAT and BOOLEAN are what the API answers with, so that layouts can be compared.
    api_type = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(type_, type_.value)
    mode = "REQUIRED" if required else "NULLABLE"
    return {"name": name, "type": api_type, "mode": mode, "description": description}


def raw_schema(table: TableSpec, *, stage: bool = False) -> list[Field]:
    """Columns of a raw table; of its stage table where nothing is required (a deletion notice has only a key)."""
    key = set() if stage else {*table.key, "client_id"}
    fields = [_field(c.name, c.type, _describe(c.description, c.unit), required=c.name in key) for c in table.columns]
    system = [_field(name, type_, text, required=name in key) for name, (type_, text) in SYSTEM_COLUMNS.items()]
    return fields + system


def history_schema(table: TableSpec) -> list[Field]:
    """Columns of the history table: those of the raw table and the end of the version's validity."""
    nullable = [{**field, "mode": "NULLABLE"} for field in raw_schema(table)]
    return nullable + [_field(name, type_, text) for name, (type_, text) in HISTORY_COLUMNS.items()]


def clustering(table: TableSpec) -> list[str]:
    """BigQuery clusters by four columns at the most."""
    return ["client_id", *table.key][:4]


def _describe(description: str, unit: str | None) -> str:
    return f"{description} Unit: {unit}." if unit else description


REJECT_SCHEMA: list[Field] = [
    _field(name, type_, description)
    for name, type_, description in (
        ("client_id", ColumnType.STRING, "Tenant of the source."),
        ("source", ColumnType.STRING, "API that the record comes from."),
        ("stream", ColumnType.STRING, "Collection of the source."),
        ("table_name", ColumnType.STRING, "Raw table that the record was meant for."),
        ("record_key", ColumnType.STRING, "Key of the record."),
        ("reason", ColumnType.STRING, "missing, type, range, drift, unreadable or refused."),
        ("column_path", ColumnType.STRING, "Where the contract is broken."),
        ("detail", ColumnType.STRING, "Expected and found type."),
        ("landing_object", ColumnType.STRING, "Landing object that holds the record."),
        ("landing_line", ColumnType.INT64, "Line of that object."),
        ("landing_item", ColumnType.INT64, "Position on that page."),
        ("contract_version", ColumnType.INT64, "Version of the contract."),
        ("extraction_id", ColumnType.STRING, "Extraction that brought it."),
        ("_observed_at", ColumnType.TIMESTAMP, "When the API answered with it."),
    )
]
"""Stage table of rejects; ops.rejects has these columns and the load's."""
