"""BigQuery stage tables -> raw tables, history and ledger, in one transaction."""

from typing import Any

from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.operators.base import TributaryOperator, attempt_chain, job_labels
from tributary.plan import WorkItem


class PartitionReplaceOperator(TributaryOperator):
    """Replaces what one run staged of a stream: raw table, children, history, tombstones, ledger; or nothing at all.

    Chunks that were planned and not staged fail the task, after what was staged has been loaded: one client's broken
    key must not hold the others back, and must not go unseen.

    Give it `max_active_tis_per_dag=1`: BigQuery cancels one of two transactions on a table.

    Args:
        planned: id of the task that returned the work items.
    """

    template_fields = ("staged",)
    ui_color = "#f4cccc"

    def __init__(self, *, source: str, stream: str, planned: str, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.stream = stream
        self.planned = planned
        self.staged = staged

    def run(self, context: Any) -> list[dict[str, Any]]:
        from tributary.flatten.manifest import StagedManifest
        from tributary.hooks.lake import lake_bucket
        from tributary.lake import read_json
        from tributary.landing.manifest import manifest_name
        from tributary.warehouse.replace import replace
        from tributary.warehouse.stage import Staged

        bucket = lake_bucket()
        staged = []
        # What a mapped group returned is a list, but for a group of one Airflow hands over the item itself.
        chunks = [self.staged] if isinstance(self.staged, dict) else self.staged
        for chunk in map(Staged.from_dict, chunks):
            manifest = read_json(bucket, manifest_name(chunk.folder), StagedManifest)
            if manifest is None:
                raise RefusedError(
                    f"{self.source}.{self.stream}: gs://{bucket.name}/{chunk.folder} is gone, since somebody in it was "
                    "erased or it has expired; nothing was loaded. Clear the flatten task that wrote it"
                )
            staged.append((chunk, manifest))
        ti = context["ti"]
        counts = replace(
            warehouse=self.warehouse(),
            bucket=bucket,
            contract=load_contracts(self.source)[self.stream],
            staged=staged,
            load_id=attempt_chain(context),
            attempt=ti.try_number,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            labels=job_labels(context, self.stream),
        )
        loaded = {manifest.item for _, manifest in staged}
        folders = {manifest.landing_folder for _, manifest in staged}
        planned = [WorkItem.from_dict(item) for item in ti.xcom_pull(task_ids=self.planned)]
        if missing := [item.label for item in planned if item not in loaded and item.folder not in folders]:
            raise RefusedError(
                f"{self.source}.{self.stream}: {len(missing)} of {len(planned)} chunks were not staged: "
                f"{', '.join(missing)}. The others are loaded. Mend what their failed task says and clear it"
            )
        return counts
