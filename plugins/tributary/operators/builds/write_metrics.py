"""Saved queries of the semantic layer -> tables."""

from pathlib import Path
from typing import Any

from tributary.operators.base import TributaryOperator, job_labels


class MetricsOperator(TributaryOperator):
    """Writes every saved query of the dbt project into the table that its export names, each of them in one statement.

    dbt Core compiles no metrics and has no exports. With this a metric is defined once, and any tool can read it.
    """

    ui_color = "#e6f7f5"

    def __init__(self, *, manifest: Path, account: str | None = None, **kwargs: Any) -> None:
        """`account`: the service account that may write the marts, where that is not the connection's."""
        super().__init__(**kwargs)
        self.manifest = manifest
        self.account = account

    def run(self, context: Any) -> None:
        from tributary.builds.metric_sql import metric_tables
        from tributary.builds.metric_tables import write_metrics

        warehouse = self.warehouse(self.account)
        tables = metric_tables(self.manifest, warehouse.project)
        write_metrics(warehouse, tables, job_labels(context, "metrics"))
