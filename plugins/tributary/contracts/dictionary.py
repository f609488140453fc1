"""The data dictionary: one page per source with every raw table and column, rendered from contracts."""

from collections.abc import Iterable, Mapping

from tributary.contracts.dbt_sources import HEADER
from tributary.contracts.model import Axis, Column, Contract, TableSpec
from tributary.contracts.system import HISTORY_COLUMNS, SYSTEM_COLUMNS


def render_dictionary(source: str, contracts: Mapping[str, Contract]) -> str:
    """The Markdown text of one source; `contracts` as stream -> contract."""
    tables = [table for _, contract in sorted(contracts.items()) for table in contract.tables]
    system = {**SYSTEM_COLUMNS, **{f"{name} (history)": column for name, column in HISTORY_COLUMNS.items()}}
    parts = [
        f"<!-- {HEADER} -->",
        f"# Data dictionary: {source}",
        "What is in `raw`, column by column. `raw_history` has the same tables with every former version of a row.",
        _markdown(("table", "a row is"), ((f"[{t.name}](#{t.name})", t.description) for t in tables)),
        "## In every table",
        _markdown(("column", "type", "description"), ((f"`{n}`", t, text) for n, (t, text) in system.items())),
        *(part for table in tables for part in _table(table)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: TableSpec) -> Iterable[str]:
    contract = table.contract
    yield f"## {table.name}"
    yield table.description
    limits = contract.limits
    facts = {
        "key": ", ".join(f"`{name}`" for name in ("client_id", *table.key)),
        "partition": f"`_record_date`, by {contract.partition.lower()}",
        "owner": contract.owner,
        "contract": f"{contract.name}, version {contract.version}",
        "freshness": f"{contract.freshness.total_seconds() / 3600:g} hours",
        "mode": contract.mode,
        "read": "whole, every day" if contract.daily == Axis.WHOLE else f"every day what was {contract.daily}",
        "an empty window": contract.empty_window,
        "limits": f"{limits.rejects:.0%} rejects, {limits.tombstones:.0%} tombstones",
    }
    if table.child:
        facts["belongs to"] = f"[{contract.tables[0].name}](#{contract.tables[0].name})"
    yield _markdown(("", ""), facts.items())
    key = {"client_id", *table.key}
    yield _markdown(
        ("column", "type", "unit", "personal", "range", "description"),
        (_column(column, in_key=column.name in key) for column in table.columns),
    )


def _column(column: Column, *, in_key: bool) -> tuple[str, ...]:
    bounds = [f"{sign} {bound:g}" if isinstance(bound, float) else f"{sign} {bound}"
              for sign, bound in (("≥", column.min), ("≤", column.max)) if bound is not None]  # fmt: skip
    type_ = f"{column.type}, {'key' if in_key else 'required'}" if in_key or column.required else str(column.type)
    personal = ", ".join(filter(None, (column.pii, column.rule)))
    return f"`{column.name}`", type_, column.unit or "", personal, " ".join(bounds), column.description


def _markdown(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
