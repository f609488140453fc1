"""How Cosmos renders and runs the dbt project; the same for every DAG that builds a part of it."""

import os
from pathlib import Path
from typing import Any

from cosmos import ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import (
    ExecutionMode,
    InvocationMode,
    LoadMode,
    SourceRenderingBehavior,
    TestBehavior,
    TestIndirectSelection,
)

from tributary.settings import REPOSITORY

DBT_DIR = REPOSITORY / "dbt"

MANIFEST = DBT_DIR / "target" / "manifest.json"

#: Rendered from a manifest (`dbt parse` writes it; locally every command that needs it does): no dbt at parse time.
PROJECT = ProjectConfig(dbt_project_path=DBT_DIR, manifest_path=MANIFEST, install_dbt_deps=False)
# Cosmos makes an object storage path of it, and opening one imports the file systems of all providers: seconds.
PROJECT.manifest_path = MANIFEST
#: Beside it, what MetricFlow compiles metrics from.
SEMANTIC_MANIFEST = DBT_DIR / "target" / "semantic_manifest.json"
PROFILE = ProfileConfig(
    profile_name="tributary",
    target_name=os.environ.get("DBT_TARGET", "prod"),
    profiles_yml_filepath=Path(DBT_DIR / "profiles.yml"),
)
#: Whom dbt acts as (profiles.yml), and with it whoever else writes marts.
ACCOUNT = os.environ.get("DBT_SERVICE_ACCOUNT")
#: `buildable`: a group runs the tests of which it has every model or their parents, so none waits for a later group.
EXECUTION = ExecutionConfig(
    execution_mode=ExecutionMode.WATCHER,
    invocation_mode=InvocationMode.DBT_RUNNER,
    test_indirect_selection=TestIndirectSelection.BUILDABLE,
)


def render(*select: str) -> RenderConfig:
    """One task group: the models of these selectors, their tests behind the last of them."""
    return RenderConfig(
        load_method=LoadMode.DBT_MANIFEST,
        select=list(select),
        test_behavior=TestBehavior.AFTER_ALL,
        source_rendering_behavior=SourceRenderingBehavior.NONE,
        emit_datasets=False,
    )


def operator_args(plan: str) -> dict[str, Any]:
    """Arguments of every dbt task; `plan` is the task id of the PlanBuildOperator that it goes by.

    The plan goes by environment: a changed `--vars` makes dbt parse the whole project anew, in every task.
    """
    planned = {
        f"TRIBUTARY_{name.upper()}": f"{{{{ ti.xcom_pull(task_ids='{plan}')['{name}'] }}}}"
        for name in ("as_of", "known_at", "touched")
    }
    # Unit tests are about the SQL and not about today's data: CI runs them.
    return {"env": {**planned, "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}, "append_env": True}
