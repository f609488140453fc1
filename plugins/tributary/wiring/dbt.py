"""Renders the dbt project as task groups with Cosmos; the same for every DAG that builds it."""

import os
from pathlib import Path
from typing import Any

from airflow.sdk import TaskGroup
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import DbtResourceType, InvocationMode, LoadMode, TestBehavior
from cosmos.settings import cache_dir

from tributary.operators.builds.build_all import BuildAllOperator
from tributary.operators.builds.build_model import BuildModelOperator
from tributary.settings import REPOSITORY

DBT_DIR = Path(os.environ.get("DBT_PROJECT_DIR", REPOSITORY / "dbt"))

MANIFEST = DBT_DIR / "target" / "manifest.json"
#: Beside it, what MetricFlow compiles metrics from.
SEMANTIC_MANIFEST = DBT_DIR / "target" / "semantic_manifest.json"
PROFILE = ProfileConfig(
    profile_name="tributary",
    target_name=os.environ.get("DBT_TARGET", "prod"),
    profiles_yml_filepath=Path(DBT_DIR / "profiles.yml"),
)
#: Whom dbt acts as (profiles.yml), and with it whoever else writes marts.
ACCOUNT = os.environ.get("DBT_SERVICE_ACCOUNT")


def build_all(task_id: str, plan: str) -> BuildAllOperator:
    """The task that builds the project; `plan` is the task id of the PlanBuildOperator that it goes by."""
    return BuildAllOperator(task_id=task_id, should_store_compiled_sql=False, **_dbt(plan))


def models(group_id: str, plan: str, built_by: str) -> DbtTaskGroup:
    """A task per model and seed, grouped by layer; `built_by` is the task id of `build_all`."""
    # Rendered from a manifest (`dbt parse` writes it; locally every command that needs it does): no dbt at parse time.
    project = ProjectConfig(dbt_project_path=DBT_DIR, manifest_path=MANIFEST, install_dbt_deps=False)
    # Cosmos makes an object storage path of it, and opening one imports the file systems of all providers: seconds.
    project.manifest_path = MANIFEST
    arguments = _dbt(plan) | {"built_by": built_by}
    layers: dict[str, TaskGroup] = {}

    def task(*, node: Any, task_id: str, task_group: TaskGroup, **_: Any) -> BuildModelOperator:
        layer = node.tags[0]
        if layer not in layers:
            layers[layer] = TaskGroup(group_id=layer, parent_group=task_group)
        return BuildModelOperator(task_id=task_id, task_group=layers[layer], model=node.unique_id, **arguments)

    return DbtTaskGroup(
        group_id=group_id,
        prefix_group_id=False,
        project_config=project,
        profile_config=PROFILE,
        execution_config=ExecutionConfig(invocation_mode=InvocationMode.DBT_RUNNER),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            # Tests come with their models.
            select=["resource_type:model", "resource_type:seed"],
            test_behavior=TestBehavior.BUILD,
            emit_datasets=False,
            normalize_task_id=lambda node: node.name,
            node_converters={DbtResourceType.MODEL: task, DbtResourceType.SEED: task},
        ),
    )


def _dbt(plan: str) -> dict[str, Any]:
    """Arguments of every dbt task.

    The plan goes by environment: a changed `--vars` makes dbt parse the whole project anew, in every task.
    """
    planned = {
        f"TRIBUTARY_{name.upper()}": f"{{{{ ti.xcom_pull(task_ids='{plan}')['{name}'] }}}}"
        for name in ("as_of", "known_at", "touched", "currencies")
    }
    return {
        "manifest": MANIFEST,
        "project_dir": str(DBT_DIR),
        "profile_config": PROFILE,
        "invocation_mode": InvocationMode.DBT_RUNNER,
        "install_deps": False,
        "emit_datasets": False,
        "cache_dir": cache_dir / "tributary",
        # Both are about the SQL and not about today's data: CI runs them.
        "env": {
            **planned,
            "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
            "TRIBUTARY_CHECK_MODEL_CONTRACTS": "false",
        },
    }
