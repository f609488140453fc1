"""Brings raw and ops tables into being and up to their contracts, before a transaction begins."""

import logging
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tributary.contracts.model import Contract, Granularity
from tributary.settings import settings
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.schema import Field, clustering, history_schema, raw_schema

log = logging.getLogger(__name__)

LEDGER_COLUMNS = (
    "load_id", "kind", "client_id", "source", "stream", "table_name", "axis", "axis_reason", "window_start",
    "window_end", "observed_from", "observed_to", "partitions", "received", "loaded", "unchanged", "superseded",
    "duplicate", "rejected", "gone", "tombstoned", "requests", "contract_version", "extraction_id", "dag_id", "run_id",
    "loaded_at",
)  # fmt: skip
"""What a load fills in; builds have `project` beside."""


def render(template: str, **values: object) -> str:
    """A file of include/sql with its values."""
    environment = Environment(
        loader=FileSystemLoader(settings().sql_dir),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701
    )
    return environment.get_template(template).render(**values)


def fence_name(contract: Contract) -> str:
    """The fence of a stream: a table of one row that every load of the stream updates first."""
    return f"ops.fence_{contract.tables[0].name}"


def ensure_tables(warehouse: Warehouse, contract: Contract, labels: dict[str, str]) -> None:
    """Create what is missing and add columns that the contract has gained. Idempotent, no lock needed."""
    # The view is the last thing that the script creates: with it, all is there. The ledger may be of an older version.
    wanted = {*LEDGER_COLUMNS, "project"}
    if warehouse.columns("ops.api_usage") is None or wanted - set(warehouse.columns("ops.ledger") or ()):
        warehouse.query(render("ops.sql", project=warehouse.project), labels)
    if warehouse.columns(fence_name(contract)) is None:
        warehouse.query(render("fence.sql", project=warehouse.project, fence=fence_name(contract)), labels)
    for table in contract.tables:
        _ensure(
            warehouse,
            f"raw.{table.name}",
            raw_schema(table),
            partition=contract.partition,
            partition_by="_record_date",
            cluster=clustering(table),
            description=table.description,
        )
        # By the end of the version: who asks for a moment reads what ended after it, and nothing of the years before.
        _ensure(
            warehouse,
            f"raw_history.{table.name}",
            history_schema(table),
            partition=Granularity.MONTH,
            partition_by="_valid_to",
            cluster=clustering(table),
            description=f"Superseded versions. {table.description}",
        )


def _ensure(warehouse: Warehouse, name: str, schema: list[Field], **layout: Any) -> None:
    have = warehouse.columns(name)
    if have is None:
        warehouse.create(name, schema, **layout)
    elif missing := [field for field in schema if field["name"] not in have]:
        log.info("%s: adding %s", name, ", ".join(field["name"] for field in missing))
        warehouse.add_columns(name, missing)
