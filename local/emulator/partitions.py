"""Partitions: the decorator `table$20260131` in load and copy jobs, and how many a table and a job may have."""

# ruff: noqa: S608 - identifiers come quoted from the emulator, there are no values in this SQL
from __future__ import annotations

from typing import Any

from local.emulator.googlesql.limits import PARTITIONS, PARTITIONS_OF_A_JOB

FORMATS = {4: ("%Y", "YEAR"), 6: ("%Y%m", "MONTH"), 8: ("%Y%m%d", "DAY"), 10: ("%Y%m%d%H", "HOUR")}
"""strftime format and granularity, by the number of digits in the partition id."""


def predicate(project: str, dataset: str, table: str, partition: str, context: Any) -> str:
    """The condition under which a row belongs to the partition, which stock takes for a part of the table's name.

    Raises InvalidQueryError as BigQuery would refuse.
    """
    from bqemulator.domain.errors import InvalidQueryError

    meta = context.catalog.get_table(project, dataset, table)
    partitioning = meta.time_partitioning if meta else None
    if partitioning is None or not partitioning.field:
        raise InvalidQueryError(
            f"Cannot load into partition ${partition}: {dataset}.{table} is not partitioned by a column"
        )
    granularity = getattr(partitioning, "type", None) or getattr(partitioning, "type_", None) or "DAY"
    pattern, wanted = FORMATS.get(len(partition), ("", ""))
    if wanted != granularity:
        raise InvalidQueryError(f"Invalid partition id ${partition} for a table partitioned by {granularity}")
    return f"strftime(\"{partitioning.field}\", '{pattern}') = '{partition}'"


def refuse_too_many(project: str, dataset: str, table: str, before: int, context: Any) -> None:
    """Raise InvalidQueryError if a job left more partitions in a table than it has, or one job changes, in BigQuery.

    `before` is the number from before the job: as many more as there are now are what the job touched at least. The
    rows stay, since the statement has run; BigQuery would take it back.
    """
    from bqemulator.domain.errors import InvalidQueryError

    found = count(project, dataset, table, context)
    if found > PARTITIONS:
        raise InvalidQueryError(f"Too many total leaf partitions: {found:,}; {dataset}.{table} may have {PARTITIONS:,}")
    if found - before > PARTITIONS_OF_A_JOB:
        raise InvalidQueryError(
            f"Too many partitions produced by query, allowed {PARTITIONS_OF_A_JOB:,}, query produces at least "
            f"{found - before:,} partitions in {dataset}.{table}"
        )


def count(project: str, dataset: str, table: str, context: Any) -> int:
    """Return the number of partitions of a table that is partitioned by a column; 0 of any other."""
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    meta = context.catalog.get_table(project, dataset, table)
    partitioning = meta.time_partitioning if meta is not None and meta.table_type == "TABLE" else None
    if partitioning is None or not partitioning.field:
        return 0
    reference, unit = quoted_table_ref(project, dataset, table), partitioning.type
    distinct = f"SELECT count(DISTINCT date_trunc('{unit}', \"{partitioning.field}\")) FROM {reference}"
    return int(context.engine.execute(distinct).fetchone()[0])
