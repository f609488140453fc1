"""A finished dbt build -> the ledger."""

from typing import Any

from tributary.operators.base import TributaryOperator, attempt_chain, context_window, job_labels


class RecordBuildOperator(TributaryOperator):
    """Writes the build into `ops.ledger`, so that what comes after it can wait for it as it waited for the loads.

    `planned` is the task id of the PlanBuildOperator that the build went by.
    """

    ui_color = "#e6f7f5"

    def __init__(self, *, build: str, planned: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build = build
        self.planned = planned

    def run(self, context: Any) -> None:
        from tributary.builds.record import DONE, record
        from tributary.builds.scope import Build
        from tributary.windows import parse

        ti = context["ti"]
        plan = ti.xcom_pull(task_ids=self.planned)
        record(
            self.warehouse(),
            name=self.build,
            kind=DONE,
            window=context_window(context),
            build=Build(parse(plan["as_of"]), parse(plan["known_at"]), plan["project"], not plan["touched"], done=True),
            load_id=attempt_chain(context),
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            labels=job_labels(context, self.build),
        )
