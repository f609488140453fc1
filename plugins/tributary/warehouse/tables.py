"""Brings raw and ops tables into being, before a transaction begins."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tributary.contracts.model import Contract, Granularity
from tributary.settings import settings
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.schema import Field, clustering, history_schema, raw_schema

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


def ensure_tables(warehouse: Warehouse, contract: Contract, labels: dict[str, str]) -> dict[str, dict[str, Field]]:
    """Create what is missing; the columns of the tables that were there, by name. Idempotent, no lock needed."""
    # The view is the last thing that the script creates: with it, all is there. The ledger may be of an older version.
    wanted = {*LEDGER_COLUMNS, "project"}
    if warehouse.columns("ops.api_usage") is None or wanted - set(warehouse.columns("ops.ledger") or ()):
        warehouse.query(render("ops.sql", project=warehouse.project), labels)
    if warehouse.columns(fence_name(contract)) is None:
        warehouse.query(render("fence.sql", project=warehouse.project, fence=fence_name(contract)), labels)
    found = {}
    for table in contract.tables:
        layouts: tuple[tuple[str, list[Field], dict[str, Any]], ...] = (
            ("raw", raw_schema(table), {"partition": contract.partition, "partition_by": "_record_date"}),
            # By the end of the version: who asks for a moment reads what ended after it, and no more.
            ("raw_history", history_schema(table), {"partition": Granularity.MONTH, "partition_by": "_valid_to"}),
        )
        for dataset, schema, layout in layouts:
            name = f"{dataset}.{table.name}"
            if (have := warehouse.columns(name)) is not None:
                found[name] = have
            else:
                text = table.description if dataset == "raw" else f"Superseded versions. {table.description}"
                warehouse.create(name, schema, cluster=clustering(table), description=text, **layout)
    return found
