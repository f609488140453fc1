"""Declares what BigQuery has and the open GoogleSQL lacks: each with its page, until the analyzer knows it."""

from __future__ import annotations

from typing import Any

AGGREGATES = {
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions#max_by
    # MAX_BY(x, y): synonym of ANY_VALUE(x HAVING MAX y); MIN_BY likewise. Of the first argument's type.
    "max_by": 2,
    "min_by": 2,
}
"""Aggregate functions of so many arguments of any type, which return the first one's type."""

PSEUDO_COLUMNS = ("_PARTITIONTIME", "_PARTITIONDATE", "_TABLE_SUFFIX", "_FILE_NAME")
"""Columns that no schema has. Statements that name one are not analyzed.

https://cloud.google.com/bigquery/docs/querying-partitioned-tables, …/querying-wildcard-tables
"""


def functions() -> list[Any]:
    """Return the functions (FunctionProto) to add to the catalog."""
    from zetasql.wasi._pb2.zetasql.proto import function_pb2
    from zetasql.wasi._pb2.zetasql.public import function_pb2 as enums

    found = []
    for name, arguments in AGGREGATES.items():
        function = function_pb2.FunctionProto(name_path=[name], group="bigquery", mode=enums.FunctionEnums.AGGREGATE)
        signature = function.signature.add()
        signature.return_type.kind = enums.SignatureArgumentKind.Value("ARG_TYPE_ANY_1")
        signature.return_type.num_occurrences = 1
        for number in range(1, arguments + 1):
            kind = enums.SignatureArgumentKind.Value(f"ARG_TYPE_ANY_{number}")
            signature.argument.add(kind=kind, num_occurrences=1)
        found.append(function)
    return found
