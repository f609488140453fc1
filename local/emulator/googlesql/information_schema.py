"""Columns of BigQuery's INFORMATION_SCHEMA views, as documented: of those views that anybody here asks.

Source: https://cloud.google.com/bigquery/docs/information-schema-tables, …-columns, …-partitions, …-jobs. A statement
that asks another view is not analyzed.
"""

from __future__ import annotations

from typing import Any

_VIEWS = {
    "TABLES": """
        table_catalog STRING, table_schema STRING, table_name STRING, table_type STRING, managed_table_type STRING,
        is_insertable_into STRING, is_fine_grained_mutations_enabled STRING, is_typed STRING,
        is_change_history_enabled STRING, creation_time TIMESTAMP, base_table_catalog STRING,
        base_table_schema STRING, base_table_name STRING, snapshot_time_ms TIMESTAMP, ddl STRING,
        default_collation_name STRING, upsert_stream_apply_watermark TIMESTAMP
    """,
    "COLUMNS": """
        table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, ordinal_position INT64,
        is_nullable STRING, data_type STRING, is_generated STRING, generation_expression STRING, is_stored STRING,
        is_hidden STRING, is_updatable STRING, is_system_defined STRING, is_partitioning_column STRING,
        clustering_ordinal_position INT64, collation_name STRING, column_default STRING, rounding_mode STRING
    """,
    "PARTITIONS": """
        table_catalog STRING, table_schema STRING, table_name STRING, partition_id STRING, total_rows INT64,
        total_logical_bytes INT64, total_billable_bytes INT64, last_modified_time TIMESTAMP, storage_tier STRING
    """,
    "JOBS": """
        cache_hit BOOL, creation_time TIMESTAMP, end_time TIMESTAMP, job_id STRING, job_type STRING,
        parent_job_id STRING, priority STRING, project_id STRING, project_number INT64, query STRING,
        reservation_id STRING, start_time TIMESTAMP, state STRING, statement_type STRING, total_bytes_billed INT64,
        total_bytes_processed INT64, total_modified_partitions INT64, total_slot_ms INT64, transaction_id STRING,
        user_email STRING
    """,
}
_RECORDS_OF_JOBS = {
    "destination_table": "project_id STRING, dataset_id STRING, table_id STRING",
    "dml_statistics": "inserted_row_count INT64, deleted_row_count INT64, updated_row_count INT64",
    "error_result": "reason STRING, location STRING, debug_info STRING, message STRING",
    "labels": "key STRING, value STRING",
}


def fields(view: str) -> list[dict[str, Any]] | None:
    """Return the columns of a view by its name, None if it isn't in the list."""
    name = view.upper().removesuffix("_BY_PROJECT")
    if name not in _VIEWS:
        return None
    found = _columns(_VIEWS[name])
    if name == "JOBS":
        for record, inner in _RECORDS_OF_JOBS.items():
            mode = "REPEATED" if record == "labels" else "NULLABLE"
            found.append({"name": record, "type": "RECORD", "mode": mode, "fields": _columns(inner)})
    return found


def _columns(text: str) -> list[dict[str, Any]]:
    return [dict(zip(("name", "type"), column.split(), strict=True)) for column in text.split(",")]
