"""Compiled saved queries -> tables of the warehouse."""

from collections.abc import Iterable

from tributary.builds.metric_sql import MetricTable
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse


def write_metrics(warehouse: Warehouse, tables: Iterable[MetricTable], labels: dict[str, str]) -> None:
    """Create or replace each table. A reader sees the former one until the new one is complete."""
    for table in tables:
        name = f"`{warehouse.project}.{table.table}`"
        description = f"options (description = {literal(table.description)})"
        warehouse.query(f"create or replace table {name} {description} as\n{table.sql}", labels)
