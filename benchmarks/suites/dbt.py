"""A group of dbt models as Cosmos runs it (LOCAL, WATCHER) and as this project does: one build shown model by model."""

import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.report import Report, Series
from local import manifest
from local.airflow import home
from local.services import AIRFLOW
from local.settings import on_free_ports
from local.stack import start_stack
from tests.dbt.warehouse import Warehouse
from tests.support.airflow import Airflow

#: Views over empty tables: what is measured is starting dbt and Airflow, not the warehouse.
MODELS = "models/staging/hubspot"
WAYS = ("ours", "watcher", "local")
_DAGS = f'''
import json
from airflow.sdk import DAG, BaseOperator
from cosmos import DbtTaskGroup, ExecutionConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior, TestIndirectSelection
from tributary.wiring import dbt
from tributary.operators.builds.build_model import BuildModelOperator

MODELS = "{MODELS}"
NODES = json.loads(dbt.MANIFEST.read_text())["nodes"].values()

class Plan(BaseOperator):
    def execute(self, context):
        return {{"as_of": "2026-01-06T00:00:00Z", "known_at": "", "touched": "{{}}"}}

with DAG("ours", schedule=None):
    build = dbt.build_all("build_all", plan="plan")
    build.select = f"path:{{MODELS}}"
    shown = [
        BuildModelOperator(task_id=node["name"], model=node["unique_id"], built_by="build_all", **dbt._dbt("plan"))
        for node in NODES
        if node["resource_type"] == "model" and node["original_file_path"].startswith(MODELS)
    ]
    Plan(task_id="plan") >> build >> shown

for name, mode, tests in (
    ("watcher", ExecutionMode.WATCHER, TestBehavior.AFTER_EACH),
    ("local", ExecutionMode.LOCAL, TestBehavior.BUILD),
):
    with DAG(name, schedule=None):
        project = ProjectConfig(dbt_project_path=dbt.DBT_DIR, manifest_path=dbt.MANIFEST, install_dbt_deps=False)
        project.manifest_path = dbt.MANIFEST
        DbtTaskGroup(
            group_id="models",
            project_config=project,
            profile_config=dbt.PROFILE,
            execution_config=ExecutionConfig(
                execution_mode=mode,
                invocation_mode=InvocationMode.DBT_RUNNER,
                # LOCAL fails otherwise in an empty warehouse: a test of two models comes with the first one.
                test_indirect_selection=TestIndirectSelection.CAUTIOUS,
            ),
            render_config=RenderConfig(
                load_method=LoadMode.DBT_MANIFEST, select=[f"path:{{MODELS}}"], test_behavior=tests, emit_datasets=False
            ),
            operator_args={{"install_deps": False, "emit_datasets": False, "env": {{
                "TRIBUTARY_AS_OF": "2026-01-06T00:00:00Z", "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"
            }}}},
        )
'''


def run(report: Report, short: bool) -> None:
    """Each way in turn, on the same models, from the first task's start to the last one's end."""
    manifest.refresh()
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    tasks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "dags").mkdir()
        (base / "dags" / "modes.py").write_text(_DAGS)
        settings = on_free_ports(base / "stack", dags=base / "dags", plugins=ROOT / "plugins")
        with start_stack(("bigquery", *AIRFLOW), base_dir=settings.home, settings=settings) as environment:
            Warehouse(settings).create()
            airflow = Airflow(environment, home.password(settings.airflow_home))
            airflow.wait_for_dags(WAYS, 120)
            for way in WAYS:
                airflow.unpause(way)
            for number in range(1 if short else 2):
                for way in WAYS:
                    airflow.start(way, f"run{number}")
                    airflow.wait(way, f"run{number}", 600)
                    instances = airflow.instances(way, f"run{number}")
                    tasks[way] = len(instances)
                    seconds[way].append(max(_moments(instances, "end_date")) - min(_moments(instances, "start_date")))
    rows = [{"": way, "tasks": tasks[way], "seconds": Series(seconds[way])} for way in WAYS]
    report.table(f"dbt build of {MODELS} by Cosmos mode, on the local stack", rows)
    report.key("dbt_local_vs_ours", Series(seconds["local"]).median / Series(seconds["ours"]).median)
    report.key("dbt_watcher_vs_ours", Series(seconds["watcher"]).median / Series(seconds["ours"]).median)
    report.save()


def _moments(instances: list[dict[str, str]], field: str) -> list[float]:
    return [datetime.fromisoformat(one[field].replace("Z", "+00:00")).timestamp() for one in instances if one[field]]
