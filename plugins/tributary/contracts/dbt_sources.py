"""dbt's source and documentation files, rendered from contracts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tributary.contracts.model import Contract, TableSpec
from tributary.contracts.system import SYSTEM_COLUMNS

HEADER = "generated from include/contracts by `make contracts`; edit the contract instead"

COVERED_UNTIL = (
    "select min(covered_until) from ("
    "select client_id, max(least(window_end, observed_from)) as covered_until "
    "from `{{ target.project }}`.ops.ledger where kind = 'load' and table_name = '{{ this.identifier }}' "
    "group by client_id)"
)
"""Up to when a table is covered, for the client that is most behind. Loads of old windows don't make it younger."""


def render_sources(source: str, contracts: Mapping[str, Contract]) -> str:
    """The YAML text of one dbt source: every raw table of `contracts` (stream -> contract) with all its columns.

    `dbt source freshness` asks the ledger, which knows of quiet tables that they were looked at. It warns when the data
    of a client ends longer ago than the contract allows, and fails at twice that. Builds wait for the ledger instead.
    """
    entry = {
        "name": source,
        "description": f"Raw {source} records, one table per stream, typed and keyed as their contracts say.",
        "database": "{{ target.project }}",
        "schema": "raw",
        "config": {"loaded_at_query": COVERED_UNTIL},
        "tables": [_table(table) for table in _tables(contracts)],
    }
    body = yaml.safe_dump(
        {"version": 2, "sources": [entry]}, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False
    )
    return f"# {HEADER}\n{body}"


def render_docs(contracts: Mapping[str, Contract]) -> str:
    """Markdown with one dbt docs block per contract column, named `<table>__<column>`.

    Staging models describe their columns with these blocks, so that a description is written once.
    """
    blocks = [f"<!-- {HEADER} -->"]
    for table in _tables(contracts):
        for column in table.columns:
            blocks.append(f"{{% docs {table.name}__{column.name} %}}\n{column.description}\n{{% enddocs %}}")
    return "\n\n".join(blocks) + "\n"


def rendered_files(contracts: Mapping[str, Mapping[str, Contract]], dbt_dir: Path) -> dict[Path, str]:
    """Path -> text of every file that is generated, for `contracts` as source -> stream -> contract."""
    files: dict[Path, str] = {}
    for source, streams in sorted(contracts.items()):
        folder = dbt_dir / "models" / "staging" / source
        files[folder / f"_{source}__sources.yml"] = render_sources(source, streams)
        files[folder / f"_{source}__docs.md"] = render_docs(streams)
    return files


def _tables(contracts: Mapping[str, Contract]) -> Iterable[TableSpec]:
    return (table for _, contract in sorted(contracts.items()) for table in contract.tables)


def _table(table: TableSpec) -> dict[str, Any]:
    columns = [_column(c.name, c.type, c.description, unit=c.unit, pii=c.pii) for c in table.columns]
    columns += [_column(name, type_, description) for name, (type_, description) in SYSTEM_COLUMNS.items()]
    hours = int(table.contract.freshness.total_seconds() // 3600)
    return {
        "name": table.name,
        "description": table.description,
        "config": {
            "freshness": {
                "warn_after": {"count": hours, "period": "hour"},
                "error_after": {"count": 2 * hours, "period": "hour"},
            },
            "meta": {
                "owner": table.contract.owner,
                "contract": f"{table.contract.name} v{table.contract.version}",
                "key": ["client_id", *table.key],
            },
        },
        "columns": columns,
    }


def _column(
    name: str, type_: str, description: str, *, unit: str | None = None, pii: str | None = None
) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "data_type": str(type_), "description": description}
    meta = {key: str(value) for key, value in (("unit", unit), ("pii", pii)) if value}
    if meta:
        column["config"] = {"meta": meta}
    return column
