"""Every DAG imports, is wired as reviewed, and costs nothing to parse."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

DAG_IDS = {"ingest_stripe", "ingest_hubspot", "build_warehouse", "repair_sources"}


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_there_are_exactly_these_dags(dags):
    assert set(dags) == DAG_IDS
    assert len(list((ROOT / "dags").glob("*.py"))) == len(DAG_IDS)


def test_tasks_and_edges_are_as_reviewed(dags, snapshot):
    """A change of the graph shows in review; `pytest --snapshot-update` accepts it."""
    graphs = {
        dag_id: sorted(f"{task.task_id} -> {', '.join(sorted(task.downstream_task_ids)) or '.'}" for task in dag.tasks)
        for dag_id, dag in sorted(dags.items())
    }
    assert graphs == snapshot


def test_every_dag_says_what_to_do_when_it_fails(dags):
    for dag in dags.values():
        assert "#### When it fails" in dag.doc_md
        assert {tag.partition(":")[0] for tag in dag.tags} >= {"tier", "layer"}
        assert dag.catchup is False
        # Another attempt at triggering a run would clear it, and all of it would be read again.
        assert all(task.retries >= 2 or task.task_type == "TriggerDagRunOperator" for task in dag.tasks)


def test_the_build_runs_every_dbt_test_once_and_shows_it_with_one_model(dags):
    """dbt leaves out unit tests, which are about the SQL, and nothing else."""
    from tributary.builds.outcomes import Ownership
    from tributary.wiring.dbt import MANIFEST

    dag = dags["build_warehouse"]
    build = dag.get_task("build_all")
    assert (build.select, build.exclude, build.selector, build.models) == (None,) * 4
    assert build.env["DBT_EXCLUDE_RESOURCE_TYPES"] == "unit_test"

    ownership = Ownership(json.loads(MANIFEST.read_text(encoding="utf-8")))
    shown = [task.model for task in dag.tasks if hasattr(task, "model")]
    assert sorted(shown) == sorted(ownership.models)
    assert len(ownership.tests) > 200 and set(ownership.owners) == set(ownership.tests)
    for test, owner in ownership.owners.items():
        assert owner in shown and test in ownership.tests_of(owner)


def test_models_wait_for_the_models_they_read_and_for_nothing_else_of_their_layer(dags):
    from tributary.wiring.dbt import MANIFEST

    nodes = json.loads(MANIFEST.read_text(encoding="utf-8"))["nodes"]
    tasks = {task.model: task for task in dags["build_warehouse"].tasks if hasattr(task, "model")}
    for model, task in tasks.items():
        read = {tasks[parent].task_id for parent in nodes[model]["depends_on"].get("nodes", []) if parent in tasks}
        assert task.upstream_task_ids == (read or {"build_all"}), task.task_id
        assert task.task_id == f"{nodes[model]['tags'][0]}.{nodes[model]['name']}"


def test_no_attempt_of_a_task_lasts_for_ever(dags):
    from tributary.wiring.ingest import DEFAULT_ARGS

    limits = {task.execution_timeout for dag in dags.values() for task in dag.tasks}
    assert limits == {DEFAULT_ARGS["execution_timeout"]}, "declared once, for every task"


def test_dag_files_are_wiring(dags):
    for file in (ROOT / "dags").glob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 100, f"{file.name} holds more than wiring"
        assert not file.name.startswith("dbt_"), "dbt imports files of that name as its own plugins"


@pytest.mark.parametrize("dag_id", ["ingest_stripe", "ingest_hubspot"])
def test_parsing_needs_no_google_client_no_network_and_no_database(dag_id):
    """In a process of its own, with sockets and connections out of reach."""
    script = f"""
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("a socket was opened while parsing")
socket.socket.connect = refuse
from airflow.sdk import Connection, Variable
Connection.get = Variable.get = refuse
import runpy
runpy.run_path({str(ROOT / "dags" / f"{dag_id}.py")!r})
banned = ["google.cloud.bigquery", "google.cloud.storage", "dbt.cli.main", "requests"]
heavy = [name for name in banned if name in sys.modules]
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_airflow_does_not_execute_the_package_as_plugins():
    """Modules below plugins/ would be run under their bare names: hooks/http.py would shadow the standard library's."""
    script = """
import sys
from airflow import plugins_manager
names = [plugin.name for plugin in plugins_manager._get_plugins()[0]]
strays = sorted(name for name, module in sys.modules.items()
                if "/plugins/tributary/" in str(getattr(module, "__file__", "")) and not name.startswith("tributary"))
assert not strays, strays
import tributary
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
