"""Brings raw and ops tables into being, before a transaction begins."""

import logging
import re
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tributary.contracts.model import Contract, Granularity
from tributary.settings import settings
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.schema import Field, clustering, history_schema, raw_schema

log = logging.getLogger(__name__)

OPS_VERSION = 3
"""Of include/sql/ops.sql; raised by whoever changes that file, so that every deployment runs it once more."""
LEDGER_COLUMNS = (
    "load_id", "kind", "client_id", "source", "stream", "table_name", "axis", "axis_reason", "window_start",
    "window_end", "observed_from", "observed_to", "partitions", "received", "loaded", "unchanged", "superseded",
    "duplicate", "rejected", "gone", "tombstoned", "requests", "contract_version", "extraction_id", "dag_id", "run_id",
    "loaded_at",
)  # fmt: skip
"""What a load fills in; builds have `project` beside."""
RESOLUTION_COLUMNS = (
    "client_id", "source", "stream", "record_key", "resolution", "landing_object", "landing_line", "landing_item",
    "_observed_at",
)  # fmt: skip


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


def migrate(warehouse: Warehouse, labels: dict[str, str]) -> int:
    """Bring the ops tables up to this release; the version that was found, 0 for none. Idempotent, no lock needed.

    What a newer release has migrated stays as it is. Columns and tables are only ever added, so this one goes on
    loading; its views, put over the newer ones, would take away what people and dbt ask by now.
    """
    found = 0
    if warehouse.columns("ops.migrations") is not None:
        rows = warehouse.query(f"select max(version) as version from `{warehouse.project}.ops.migrations`", labels)
        found = rows[0]["version"] or 0
    if found < OPS_VERSION:
        log.info("ops is of version %d: migrating it to %d", found, OPS_VERSION)
        script = render("ops.sql", project=warehouse.project, version=OPS_VERSION)
        warehouse.query(script, labels)
        warehouse.keep(_made_by(script))
    return found


def _made_by(script: str) -> list[str]:
    """The tables that a script makes."""
    return re.findall(r"create table if not exists `[^`]*?\.(\w+\.\w+)`", script)


def ensure_tables(warehouse: Warehouse, contract: Contract, labels: dict[str, str]) -> dict[str, dict[str, Field]]:
    """Create what is missing; the columns of the tables that were there, by name. Idempotent, no lock needed."""
    migrate(warehouse, labels)
    if warehouse.columns(fence_name(contract)) is None:
        warehouse.query(render("fence.sql", project=warehouse.project, fence=fence_name(contract)), labels)
        warehouse.keep([fence_name(contract)])
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
