"""
### Stripe into BigQuery

Reads every stream of every Stripe client, one lane each, and replaces what the run covers in `raw.stripe_*`.

**A lane**: `plan` → `extract` (API → landing folder) → `flatten` (typed rows, rejects and drift set aside) → `stage` (load job) →
`replace` (one transaction: history, delete, insert, tombstones, counts, ledger; or nothing). Mapped tasks carry client and window.

**Window**: the data interval, widened by each contract's look-back, or `window_start` / `window_end` of the trigger form. A window
within the last 25 days is read from the event feed; an older one is listed by creation date.

**Rerun**: clear a task, or trigger the same window again: a window can be loaded any number of times.

#### When it fails
| task | what it says | what to do |
|---|---|---|
| plan | unknown stream, window in the future | correct the trigger form |
| extract | connection …, account …, permission … | mend the connection it names, clear the task |
| extract | failed 7 times | Stripe is down or throttles; clear later, it goes on behind the last finished page |
| flatten | break the contract / frozen | `ops.rejects`, the staged folder it names; mend the contract, clear the task |
| stage | load job refused | the message has BigQuery's reason; mend the contract, clear `flatten` |
| replace | … nothing was loaded | the message has table, window and both numbers; clear `extract` of the lane |
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from tributary.ingest import DEFAULT_ARGS, ingest_lanes, ingest_params

with DAG(
    dag_id="ingest_stripe",
    description="Stripe billing records into raw.stripe_*",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 7, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=3,
    default_args=DEFAULT_ARGS,
    params=ingest_params("stripe"),
    tags=["tier:1", "layer:raw", "source:stripe"],
):
    ingest_lanes("stripe")
