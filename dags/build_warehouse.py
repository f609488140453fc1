"""
### Raw tables into the warehouse

Waits until the ledger covers the run's window for every stream of every required client, decides what the build is for and what loads
touched since the last one (`plan_build`), then builds and tests the dbt project in one go (`build_all`). Behind it is a task per model of
`staging`, `intermediate` and `mart`, which stands for the model and its tests: what failed stops what depends on it and nothing else.
When all is well come the tables of the semantic layer (`metrics`), and the build is written into `ops.ledger`.

**Window**: the data interval, or `window_start` / `window_end` of the trigger form. Every result is computed as of the window's end, from
what was known when `plan_build` ran, or at `known_at`.

A window that ends before the one that the marts hold (a cleared old run, a trigger for last summer) is refused before anything is built,
since the marts would be of then until the next night. *Build the past* in the form does it all the same, and the next nightly run brings the
present back; `as_of` in `staging.int_as_of` says what the marts are of.

**Rerun**: clear a model to build it and its tests by itself, `build_all` to build all in one go, `plan_build` to decide anew what for; each
with its downstream. Or trigger again. *Build everything* in the form also builds the months that no load touched.

#### When it fails
| task | what it says | what to do |
|---|---|---|
| wait_for_sources | waiting for …, and after 12 hours: the ledger still lacks … | look at the lane of that stream in its ingest DAG; once it has run, this task goes on by itself, or, if it had given up, is to be cleared |
| plan_build | known_at … has to lie between … | correct the form, trigger again |
| plan_build | the marts are of … and this build would take them back | nothing: the newer build holds that day; or trigger with *Build the past* |
| build_all | dbt's reason for not running at all | mend the project or its profile, clear the task |
| a model could not be built | BigQuery's reason, in the log of its second attempt at it | mend the model, clear the task with its downstream |
| a model was built, but … found rows | the test, and the table in `dq` with the rows | look at the rows, mend model or source, clear the task with its downstream; if loads of old windows were under way, clear from `plan_build` on |
| metrics | the saved query or BigQuery's reason | mend `dbt/models/semantic`, clear the task |
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from tributary.contracts.loader import declared_sources
from tributary.operators.builds.plan_build import PlanBuildOperator
from tributary.operators.builds.record_build import RecordBuildOperator
from tributary.operators.builds.write_metrics import MetricsOperator
from tributary.sensors.ledger import LedgerSensor
from tributary.wiring.dbt import ACCOUNT, DBT_DIR, SEMANTIC_MANIFEST, build_all, models
from tributary.wiring.ingest import DEFAULT_ARGS
from tributary.wiring.params import build_params
from tributary.wiring.tags import Layer, Tier

with DAG(
    dag_id="build_warehouse",
    description="dbt: raw tables to revenue, recurring revenue and customer lifetime value",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 7, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=build_params(),
    tags=[Tier.ONE, Layer.MART],
):
    wait = LedgerSensor(task_id="wait_for_sources", sources=declared_sources())
    plan = PlanBuildOperator(task_id="plan_build", build="warehouse", project=DBT_DIR)
    build = build_all("build_all", plan=plan.task_id)
    layers = models("models", plan=plan.task_id, built_by=build.task_id)
    metrics = MetricsOperator(task_id="metrics", manifest=SEMANTIC_MANIFEST, account=ACCOUNT)
    record = RecordBuildOperator(task_id="record_build", build="warehouse", planned=plan.task_id)
    wait >> plan >> build >> layers >> metrics >> record
