"""BigQuery stage tables -> raw tables, history and ledger, in one transaction."""

from collections.abc import Collection
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.landing.plan import MOST_CHUNKS, WorkItem
from tributary.operators.base import TributaryOperator, attempt_chain, job_labels

if TYPE_CHECKING:
    from tributary.flatten.manifest import StagedManifest
    from tributary.warehouse.stage import Staged

    Chunk = tuple[Staged, StagedManifest]


class PartitionReplaceOperator(TributaryOperator):
    """Replaces what one run staged of a stream: raw table, children, history, tombstones, ledger; or nothing at all.

    Of many clients it takes some at a time: a script of BigQuery's is at most 1 MB long.

    Chunks that were planned and not staged fail the task, after what was staged has been loaded: one client's broken
    key must not hold the others back, and must not go unseen.

    Give it `max_active_tis_per_dag=1`: BigQuery cancels one of two transactions on a table.

    Args:
        planned: id of the task that returned the work items.
        stage: id of the task that staged each of them.
    """

    template_fields = ("staged",)
    ui_color = "#f4cccc"

    def __init__(self, *, source: str, stream: str, planned: str, stage: str, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.stream = stream
        self.planned = planned
        self.stage = stage
        self.staged = staged

    def run(self, context: Any) -> list[dict[str, Any]]:
        from tributary.hooks.lake import lake_bucket
        from tributary.warehouse.replace import replace

        ti = context["ti"]
        planned = [WorkItem.from_dict(item) for item in ti.xcom_pull(task_ids=self.planned)]
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[self.stage], run_ids=[ti.run_id]).get(ti.run_id, {})
        ready = [item for number, item in enumerate(planned) if states.get(f"{self.stage}_{number}") == "success"]
        bucket = lake_bucket()
        counts, chain = [], attempt_chain(context)
        chunks = self._chunks(bucket, ready)
        for number, batch in enumerate(batches(chunks)):
            counts += replace(
                warehouse=self.warehouse(),
                bucket=bucket,
                contract=load_contracts(self.source)[self.stream],
                staged=batch,
                load_id=f"{chain}_{number}" if number else chain,
                attempt=ti.try_number,
                dag_id=ti.dag_id,
                run_id=ti.run_id,
                labels=job_labels(context, self.stream),
            )
        loaded = {manifest.item for _, manifest in chunks}
        folders = {manifest.landing_folder for _, manifest in chunks}
        if missing := [item.label for item in planned if item not in loaded and item.folder not in folders]:
            raise RefusedError(
                f"{self.source}.{self.stream}: {len(missing)} of {len(planned)} chunks were not staged: "
                f"{', '.join(missing)}. The others are loaded. Mend what their failed task says and clear it"
            )
        return counts

    def _chunks(self, bucket: Any, ready: Collection[WorkItem]) -> "list[Chunk]":
        """Return the staged chunks of the items that are ready.

        A task that was cleared, and didn't get to run again, still has the result of its last time in XCom.
        """
        from tributary.flatten.manifest import StagedManifest
        from tributary.landing.lake import read_json
        from tributary.landing.manifest import manifest_name
        from tributary.warehouse.stage import Staged

        folders = {item.folder for item in ready if item.folder}
        found, lost = [], []
        # What a mapped group returned is a list, but for a group of one Airflow hands over the item itself.
        chunks = [self.staged] if isinstance(self.staged, dict) else self.staged
        for chunk in map(Staged.from_dict, chunks):
            manifest = read_json(bucket, manifest_name(chunk.folder), StagedManifest)
            if manifest is None:
                lost.append(chunk.folder)
            elif manifest.item in ready or manifest.landing_folder in folders:
                found.append((chunk, manifest))
        if lost and len(found) < len(ready):
            raise RefusedError(
                f"{self.source}.{self.stream}: gs://{bucket.name}/{lost[0]} is gone, since somebody in it was "
                "erased or it has expired; nothing was loaded. Clear the flatten task that wrote it"
            )
        return found


def batches(chunks: "list[Chunk]") -> "list[list[Chunk]]":
    """Chunks by loads; those of a client stay together, since all of them tell what is gone."""
    found: list[list[Chunk]] = []
    by_client = groupby(sorted(chunks, key=_client), key=_client)
    for _, group in by_client:
        own = list(group)
        if found and len(found[-1]) + len(own) <= MOST_CHUNKS:
            found[-1] += own
        else:
            found.append(own)
    return found


def _client(chunk: "Chunk") -> str:
    return chunk[1].item.client_id
