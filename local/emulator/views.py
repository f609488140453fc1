"""Speed: views are not pasted into the statements that name them."""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Leave a statement as it is while the catalog has no row access policy.

    Stock parses each statement and replaces every view in it by the view's body, recursively, to find policies on the
    tables below: a model over ten views is translated with ten bodies inside. The views exist in DuckDB, too.
    """
    from bqemulator.sql import inner_query

    rewrite = inner_query.rewrite_for_row_access

    def rewrite_where_policies_are(bq_sql: str, *, catalog: Any, **options: Any) -> str:
        if not catalog.list_all_row_access_policies():
            return bq_sql
        return str(rewrite(bq_sql, catalog=catalog, **options))

    inner_query.rewrite_for_row_access = rewrite_where_policies_are
