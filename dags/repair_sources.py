"""
### Everything once more, weekly

Runs `ingest_stripe` and `ingest_hubspot` over everything from each client's first day on: one range per stream, not a window per day.
Mends what the change feeds missed or never told (a balance transaction that became available, an association that moved), and finds what was
deleted longer ago than a feed remembers. What did not change stays as it is.

**By hand**: trigger `ingest_stripe` with *Read everything again*; for a part of the time give it `window_start`, `window_end` and the axis `created`.

#### When it fails
| task | what it says | what to do |
|---|---|---|
| a source | the run that it started has failed | open that run (the link is on the task), mend what its failed task says, clear it there |
"""

from datetime import UTC, datetime

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

from tributary.contracts.loader import declared_sources
from tributary.wiring.ingest import DEFAULT_ARGS
from tributary.wiring.tags import Layer, Tier

with DAG(
    dag_id="repair_sources",
    description="Weekly: lists every record of every source again",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 3 * * 0", timezone="UTC"),
    start_date=datetime(2024, 7, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tier.TWO, Layer.RAW],
):
    for source in declared_sources():
        TriggerDagRunOperator(
            task_id=source,
            trigger_dag_id=f"ingest_{source}",
            trigger_run_id="repair__{{ run_id }}",
            conf={"everything": True},
            wait_for_completion=True,
            deferrable=True,
            poke_interval=30,
            reset_dag_run=True,
            # Another attempt would clear the run and read all of it again; clearing the task does, if that is wanted.
            retries=0,
        )
