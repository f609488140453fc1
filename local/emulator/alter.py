"""Schemas: catalog (what the REST API tells) and data (what queries see) are kept in step, both ways."""

from __future__ import annotations

import re
from typing import Any

_ALTER = re.compile(
    r"^\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*alter\s+table\s+(?:if\s+exists\s+)?"
    r"(`[^`]+`(?:\.`[^`]+`)*|[\w.\-]+)\s+(add|drop|rename|alter)\b",
    re.IGNORECASE | re.DOTALL,
)
_TYPE = re.compile(r"alter\s+column\s+`?(\w+)`?\s+set\s+data\s+type\s+(\w+)", re.IGNORECASE)
_RENAME = re.compile(r"rename\s+to\s+`?([\w$]+)`?", re.IGNORECASE)


def apply() -> None:
    """Mend ALTER TABLE in SQL and a changed schema in tables.patch / tables.update."""
    from bqemulator.jobs import executor
    from bqemulator.scripting import interpreter

    _json_stays_json()
    _sql_alter_reaches_the_catalog(executor)
    _sql_alter_reaches_the_catalog(interpreter)
    _rest_patch_reaches_the_data()


def _json_stays_json() -> None:
    """CREATE TABLE t (j JSON), also AS SELECT: stock reads the schema back through Arrow, where JSON is text."""
    from bqemulator.catalog import ddl_sync
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    introspect = ddl_sync._introspect_schema

    def introspect_with_json(project: str, dataset: str, table: str, context: Any) -> Any:
        schema = introspect(project, dataset, table, context)
        described = context.engine.execute(f"DESCRIBE {quoted_table_ref(project, dataset, table)}").fetchall()
        json = {name for name, kind, *_ in described if kind in ("JSON", "JSON[]")}
        fields = (f.model_copy(update={"type": "JSON"}) if f.name in json else f for f in schema.fields)
        return schema.model_copy(update={"fields": tuple(fields)})

    ddl_sync._introspect_schema = introspect_with_json


def _sql_alter_reaches_the_catalog(module: Any) -> None:
    """ALTER TABLE ADD / DROP / RENAME / ALTER COLUMN: stock leaves tables.get and INFORMATION_SCHEMA as they were."""
    sync = module.sync_dropped_object

    def sync_altered_too(sql: str, project: str, context: Any) -> None:
        sync(sql, project, context)
        altered = _ALTER.match(sql)
        if altered:
            _refresh(altered.group(1), sql, project, context)

    module.sync_dropped_object = sync_altered_too


def _refresh(reference: str, sql: str, project: str, context: Any) -> None:
    from bqemulator.catalog import ddl_sync

    project, dataset, table = [project, *reference.replace("`", "").split(".")][-3:]
    known = context.catalog.get_table(project, dataset, table)
    if known is None:
        return
    renamed = _RENAME.search(sql)
    name = renamed.group(1) if renamed else table
    schema = ddl_sync._introspect_schema(project, dataset, name, context)
    # Only types and modes can be read back from the data; descriptions and policy tags are kept from what was known.
    before = {field.name: field for field in known.schema_.fields}
    # The engine has one decimal type for NUMERIC and BIGNUMERIC.
    types = {field.name: field.type for field in before.values() if field.type == "BIGNUMERIC"}
    types |= {name: type_.upper() for name, type_ in _TYPE.findall(sql) if type_.upper() == "BIGNUMERIC"}
    fields = tuple(
        before[field.name].model_copy(update={"type": types.get(field.name, field.type), "mode": field.mode})
        if field.name in before and not field.fields
        else field
        for field in schema.fields
    )
    changed = known.model_copy(
        update={
            "schema_": schema.model_copy(update={"fields": fields}),
            "table_id": name,
            "last_modified_time": context.clock.now(),
        }
    )
    if renamed:
        context.catalog.delete_table(project, dataset, table)
        context.catalog.create_table(changed)
    else:
        context.catalog.update_table(changed)


def _rest_patch_reaches_the_data() -> None:
    """tables.patch with new columns (as dbt's on_schema_change does): stock doesn't add them to the data."""
    from bqemulator.api.routes import tables
    from bqemulator.storage import engine
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    engines: list[Any] = []
    create = engine.DuckDBEngine.__init__

    def create_and_remember(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        engines[:] = [self]

    engine.DuckDBEngine.__init__ = create_and_remember
    to_meta = tables._rest_to_table_meta

    def add_new_columns(
        project: str, dataset: str, body: Any, clock: Any, existing: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        meta = to_meta(project, dataset, body, clock, existing, *args, **kwargs)
        if existing is not None and existing.table_type == "TABLE" and body.get("schema"):
            present = {field.name for field in existing.schema_.fields}
            reference = quoted_table_ref(project, dataset, existing.table_id)
            for field in meta.schema_.fields:
                if field.name not in present:
                    column = f'"{field.name}" {_duckdb_type(field)}'
                    engines[0].execute(f"ALTER TABLE {reference} ADD COLUMN IF NOT EXISTS {column}")
        return meta

    tables._rest_to_table_meta = add_new_columns


def _duckdb_type(field: Any) -> str:
    from bqemulator.storage import type_map

    if field.fields:
        inner = ", ".join(f'"{child.name}" {_duckdb_type(child)}' for child in field.fields)
        base = f"STRUCT({inner})"
    else:
        base = type_map.bq_to_duckdb(field.type)
    return base + "[]" if (field.mode or "").upper() == "REPEATED" else str(base)
