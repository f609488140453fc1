"""Queries the warehouse for the demo's report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local import warehouse

Query = Callable[[str], list[dict[str, Any]]]

PARTS = ("loaded", "unchanged", "superseded", "duplicate", "rejected")
"""What a record that was received can have become."""

COUNTED = ("raw", "raw_history", "staging", "mart", "ops")
"""Datasets whose tables are counted for the report."""


@dataclass(frozen=True)
class Balance:
    """The conservation equation of one stream, summed over its loads."""

    source: str
    stream: str
    client_id: str
    loads: int
    received: int
    parts: dict[str, int]
    tombstoned: int
    unbalanced_loads: int

    @property
    def holds(self) -> bool:
        """Every single load must balance, not only their sum."""
        return self.unbalanced_loads == 0 and self.received == sum(self.parts.values())


def querying(variables: Mapping[str, str]) -> Query:
    """A function that runs SQL on the warehouse that `variables` point at and returns the rows as dictionaries."""
    client = warehouse.client(variables)

    def query(sql: str) -> list[dict[str, Any]]:
        return [dict(row.items()) for row in client.query(sql, retry=None, job_retry=None).result(retry=None)]

    return query


def balances(query: Query) -> list[Balance]:
    """The conservation equation of every stream, from the ledger. Empty when nothing was ever loaded."""
    sums = ", ".join(f"sum(coalesce({part}, 0)) as {part}" for part in (*PARTS, "received", "tombstoned"))
    total = " + ".join(f"coalesce({part}, 0)" for part in PARTS)
    rows = query(
        f"select source, stream, client_id, count(*) as loads, {sums}, "  # noqa: S608 - constants of this module
        f"countif(coalesce(received, -1) != {total}) as unbalanced_loads "
        "from ops.ledger where kind = 'load' group by source, stream, client_id order by source, stream, client_id"
    )
    return [
        Balance(
            source=row["source"],
            stream=row["stream"],
            client_id=row["client_id"],
            loads=int(row["loads"]),
            received=int(row["received"]),
            parts={part: int(row[part]) for part in PARTS},
            tombstoned=int(row["tombstoned"]),
            unbalanced_loads=int(row["unbalanced_loads"]),
        )
        for row in rows
    ]


def row_counts(query: Query) -> dict[str, int]:
    """Rows per table and view, by `dataset.table`."""
    tables = []
    for dataset in COUNTED:
        names = query(f"select table_name from {dataset}.INFORMATION_SCHEMA.TABLES order by table_name")  # noqa: S608
        tables += [f"{dataset}.{row['table_name']}" for row in names]
    if not tables:
        return {}
    counts = " union all ".join(f"select '{table}' as name, count(*) as number from {table}" for table in tables)  # noqa: S608
    found = {row["name"]: int(row["number"]) for row in query(counts)}
    return {table: found[table] for table in tables}


def best_customers(query: Query, per_currency: int) -> list[dict[str, Any]]:
    """The customers with the highest lifetime value, so many per currency; the currency with most customers first."""
    rank = "row_number() over (partition by currency order by revenue_collected desc, person_key)"
    return query(
        "select *, count(*) over (partition by currency) as customers from mart.customer_lifetime_value "  # noqa: S608
        f"qualify {rank} <= {per_currency} "
        "order by customers desc, currency, revenue_collected desc, person_key"
    )


def metrics(query: Query) -> list[dict[str, Any]]:
    """Recurring revenue of the latest month beside lifetime value, per client and currency, from the metric tables."""
    return query(
        "select months.currency, months.month, months.mrr, months.arr, months.customers, months.arpa, months.nrr, "
        "months.grr, worth.clv from mart.metrics_mrr as months "
        "left join mart.metrics_clv as worth "
        "on worth.client_id = months.client_id and worth.currency = months.currency "
        "qualify row_number() over (partition by months.client_id, months.currency order by months.month desc) = 1 "
        "order by months.customers desc, months.currency"
    )
