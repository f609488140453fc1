"""Copy jobs from and to `table$partition`, as dbt's `copy_partitions` issues them."""

# ruff: noqa: S608 - identifiers come quoted from the emulator, there are no values in this SQL
from __future__ import annotations

from typing import Any

from local.emulator import partitions


def apply() -> None:
    """Copy between partitions in one transaction; everything else stays with the emulator."""
    from bqemulator.jobs import executor

    copy_table = executor._copy_table_into_destination

    async def copy(*, src_table_id: str, dst_table_id: str, ctx: Any, **rest: Any) -> None:
        if "$" not in src_table_id + dst_table_id:
            await copy_table(src_table_id=src_table_id, dst_table_id=dst_table_id, ctx=ctx, **rest)
            return
        source, chosen = _side(rest["src_proj"], rest["src_ds"], src_table_id, ctx)
        target, replaced = _side(rest["dst_proj"], rest["dst_ds"], dst_table_id, ctx)
        execute = ctx.engine.execute
        async with ctx.engine.write_lock():
            execute("BEGIN TRANSACTION")
            try:
                if rest["write_disposition"] == "WRITE_TRUNCATE":
                    execute(f"DELETE FROM {target}{replaced}")
                execute(f"INSERT INTO {target} BY NAME SELECT * FROM {source}{chosen}")
                execute("COMMIT")
            except BaseException:
                execute("ROLLBACK")
                raise

    executor._copy_table_into_destination = copy


def _side(project: str, dataset: str, table_id: str, context: Any) -> tuple[str, str]:
    """Quoted table reference and WHERE clause (empty without a partition)."""
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    table, _, partition = table_id.partition("$")
    condition = f" WHERE {partitions.predicate(project, dataset, table, partition, context)}" if partition else ""
    return quoted_table_ref(project, dataset, table), condition
