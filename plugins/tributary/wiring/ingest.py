"""The shape that every ingest DAG has: one lane per stream, from the API to its raw table.

Only wiring lives here, once for all sources; a DAG file names the source.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, TaskGroup, TriggerRule, task_group

from tributary.clients import load_clients
from tributary.concurrency import STREAM_TASKS
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Contract
from tributary.landing.plan import AUTO
from tributary.operators.ingest.api_to_landing import ApiToLandingOperator
from tributary.operators.ingest.landing_to_staged import LandingToStagedOperator
from tributary.operators.ingest.partition_replace import PartitionReplaceOperator
from tributary.operators.ingest.plan_ingest import PlanOperator
from tributary.operators.ingest.staged_to_bigquery import StagedToBigQueryOperator
from tributary.wiring.params import window_params

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-platform",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    # Of one attempt, waiting in the triggerer not counted: far above what any takes, so that a connection that hangs or
    # a list without end holds a slot for hours and not for ever. What was landed by then is kept.
    "execution_timeout": timedelta(hours=6),
}

TRIAGE = """
#### When it fails

| task | what it says | what to do |
|---|---|---|
| plan | window in the future or reversed | correct the trigger form |
| extract | connection, account or permission | mend the connection it names, clear the task |
| extract | failed 7 times | the API is down or throttles; a retry goes on behind the last page, clearing starts anew |
| flatten | break the contract, or frozen | look at the staged folder it names, mend the contract, clear the task |
| stage | load job refused | not for a record (that would be a reject): the message has BigQuery's reason |
| replace | the table has | contract and table differ in what a load can't change: docs/runbooks/schema-drift.md |
| replace | nothing was loaded | the message has table, window and both numbers; clear `extract` of the lane |
| extract | nothing can be replayed | its landing has expired; the message has the command that reads the window |
| replace | was not staged | one client's chunk failed, the others are loaded; clear the failed task that it names |
"""
"""What every ingest DAG says about its failures."""


def ingest_params(source: str) -> dict[str, Param]:
    """The trigger form of an ingest DAG."""
    streams, clients = list(load_contracts(source)), list(load_clients(source))
    return window_params() | {
        "streams": _choice("Streams", "Collections to read.", streams),
        "clients": _choice("Clients", "Tenants to read, from include/clients.yml.", clients),
        "axis": Param(
            AUTO,
            enum=[AUTO, "created", "changed"],
            title="Axis",
            description="What the window is measured on. auto: changes where the source still knows them.",
        ),
        "chunk_days": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Chunk length",
            description="Cut a window of creation dates into pieces of so many days, each read by a task of its own. "
            "Left empty, a large one is cut by how much it holds.",
        ),
        "newest_first": Param(
            False,
            type="boolean",
            title="Newest first",
            description="Read the chunks of the window backwards, so that what is needed soonest comes first.",
        ),
        "everything": Param(
            False,
            type="boolean",
            title="Read everything again",
            description="List every record from the account's first day on: mends what the changes missed, and finds "
            "what was deleted. `repair_sources` does so every week.",
        ),
        "replay": Param(
            False,
            type="boolean",
            title="Replay rejects",
            description="Ask nothing of the API: flatten the landing folders again that hold open rejects, under the "
            "contract as it is now. All of them, or those of the window above.",
        ),
    }


def _choice(title: str, description: str, names: list[str]) -> Param:
    items = {"type": "string", "enum": names}
    return Param(
        names, type="array", items=items, uniqueItems=True, examples=names, title=title, description=description
    )


def ingest_lanes(source: str) -> None:
    """The tasks of an ingest DAG: a lane for each contract of the source."""
    for contract in load_contracts(source).values():
        stream_lane(contract)


def stream_lane(contract: Contract) -> None:
    """plan, then extract -> flatten -> stage for each client and chunk on its own, then one replace for all of it."""
    with TaskGroup(contract.stream, tooltip=contract.description):
        pool = f"api_{contract.source}"
        plan = PlanOperator(task_id="plan", source=contract.source, stream=contract.stream, pool=pool)

        @task_group(group_id="window", tooltip="One client and window: from the API to a stage table.")
        def window(item: dict[str, Any]) -> Any:
            readable: dict[str, Any] = {"map_index_template": "{{ label }}"}
            extract = ApiToLandingOperator(
                task_id="extract", item=item, pool=pool, max_active_tis_per_dag=STREAM_TASKS, **readable
            )
            flatten = LandingToStagedOperator(task_id="flatten", folder=extract.output, **readable)
            return StagedToBigQueryOperator(task_id="stage", folder=flatten.output, **readable).output

        PartitionReplaceOperator(
            task_id="replace",
            source=contract.source,
            stream=contract.stream,
            planned=plan.task_id,
            stage=f"{contract.stream}.window.stage",
            staged=window.expand(item=plan.output),
            # What one client staged is loaded even if another's extraction failed; the task then says whose.
            trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
            # BigQuery cancels one of two transactions on a table; so only one of them runs.
            max_active_tis_per_dag=1,
        )
