"""A finished dbt build -> the ledger."""

from typing import Any

from tributary.operators.base import TributaryOperator, attempt_chain, context_window, job_labels


class RecordBuildOperator(TributaryOperator):
    """Writes the build into `ops.ledger`, so that what comes after it can wait for it as it waited for the loads."""

    ui_color = "#e6f7f5"

    def __init__(self, *, build: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build = build

    def run(self, context: Any) -> None:
        from tributary.ledger.write import record_build

        ti = context["ti"]
        record_build(
            self.warehouse(),
            build=self.build,
            window=context_window(context),
            load_id=attempt_chain(context),
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            labels=job_labels(context, self.build),
        )
