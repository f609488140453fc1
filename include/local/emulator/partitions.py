"""`table$20260131`: the partition decorator in load and copy jobs, which stock takes for a table's name."""

from __future__ import annotations

from typing import Any

FORMATS = {4: ("%Y", "YEAR"), 6: ("%Y%m", "MONTH"), 8: ("%Y%m%d", "DAY"), 10: ("%Y%m%d%H", "HOUR")}
"""strftime format and granularity, by the number of digits in the partition id."""


def predicate(project: str, dataset: str, table: str, partition: str, context: Any) -> str:
    """The condition under which a row belongs to the partition. Raises InvalidQueryError as BigQuery would refuse."""
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
