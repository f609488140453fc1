"""
### HubSpot into BigQuery

Reads every stream of every HubSpot client, one lane each, and replaces what the run covers in `raw.hubspot_*`.

**A lane**: `plan` → `extract` (API → landing folder) → `flatten` (typed rows, rejects and drift set aside) → `stage` (load job) →
`replace` (one transaction: history, delete, insert, tombstones, counts, ledger; or nothing). Mapped tasks carry client and window.

**Window**: the data interval, widened by each contract's look-back, or `window_start` / `window_end` of the trigger form. Changed records are
found by search on their modified date, archived ones by list; a window that begins with the account is listed whole.

**Rerun**: clear a task, or trigger the same window again: a window can be loaded any number of times.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from tributary.wiring.ingest import DEFAULT_ARGS, TRIAGE, ingest_lanes, ingest_params
from tributary.wiring.tags import Layer, Tier, source_tag

with DAG(
    dag_id="ingest_hubspot",
    description="HubSpot CRM records into raw.hubspot_*",
    doc_md=__doc__ + TRIAGE,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 7, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=3,
    default_args=DEFAULT_ARGS,
    params=ingest_params("hubspot"),
    tags=[Tier.ONE, Layer.RAW, source_tag("hubspot")],
):
    ingest_lanes("hubspot")
