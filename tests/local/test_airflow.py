"""The local Airflow: forked from one warmed-up parent, quick to run a task, and gone when it is stopped."""

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local import processes
from local.airflow import home, patches
from local.services import AIRFLOW, airflow_is_ready
from local.settings import ROOT, LocalSettings, on_free_ports
from local.stack import start_stack
from tests.support.airflow import Airflow

DAG = """
from datetime import UTC, datetime

from airflow.sdk import DAG, BaseOperator, chain

class Nothing(BaseOperator):
    def execute(self, context):
        import sys
        return sorted(name for name in ("dbt.cli.main", "google.cloud.bigquery", "tributary") if name in sys.modules)

with DAG("chain", schedule=None):
    chain(*[Nothing(task_id=f"n{number}") for number in range(10)])
with DAG("daily", schedule="@daily", catchup=True, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    Nothing(task_id="n")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Airflow, LocalSettings]]:
    base = tmp_path_factory.mktemp("airflow")
    for folder in ("dags", "plugins"):
        (base / folder).mkdir()
    (base / "dags" / "chain.py").write_text(DAG)
    settings = on_free_ports(
        base / "stack", dags=base / "dags", plugins=base / "plugins", pools=ROOT / "include/pools.json"
    )
    with start_stack(AIRFLOW, base_dir=settings.home, settings=settings) as environment:
        api = Airflow(environment, home.password(settings.airflow_home))
        api.wait_for_dags(("chain", "daily"), 60)
        yield api, settings


@pytest.mark.airflow
class TestRunning:
    def test_a_tasks_own_overhead_is_below_two_seconds(self, running: tuple[Airflow, LocalSettings]) -> None:
        airflow, _ = running
        airflow.start("chain", "first")
        airflow.wait("chain", "first", 120)
        tasks = airflow._get("/api/v2/dags/chain/dagRuns/first/taskInstances", limit=100)["task_instances"]
        ends = sorted(_seconds(task["end_date"]) for task in tasks)
        # From the end of one task to the end of the next: scheduling, starting, running nothing, reporting.
        assert statistics.median(b - a for a, b in itertools.pairwise(ends)) < 2

    def test_tasks_inherit_the_heavy_libraries_but_none_of_our_own_code(
        self, running: tuple[Airflow, LocalSettings]
    ) -> None:
        airflow, _ = running
        airflow.start("chain", "second")
        airflow.wait("chain", "second", 120)
        path = "/api/v2/dags/chain/dagRuns/second/taskInstances/n9/xcomEntries/return_value"
        assert airflow._get(path, deserialize=True)["value"] == ["dbt.cli.main", "google.cloud.bigquery"]

    def test_the_pools_are_there(self, running: tuple[Airflow, LocalSettings]) -> None:
        pools = running[0]._get("/api/v2/pools")["pools"]
        assert {"api_stripe", "api_hubspot"} <= {pool["name"] for pool in pools}

    def test_no_run_starts_by_the_real_clock(self, running: tuple[Airflow, LocalSettings]) -> None:
        assert running[0].runs("daily") == []

    def test_the_login_is_readable_by_its_owner_only(self, running: tuple[Airflow, LocalSettings]) -> None:
        folder = running[1].airflow_home
        for name in ("passwords.json", "airflow.cfg"):
            assert (folder / name).stat().st_mode & 0o077 == 0


@pytest.mark.airflow
def test_when_one_component_dies_all_end_and_nothing_is_left(tmp_path: Path) -> None:
    for folder in ("dags", "plugins"):
        (tmp_path / folder).mkdir()
    settings = on_free_ports(tmp_path / "stack", dags=tmp_path / "dags", plugins=tmp_path / "plugins")
    with start_stack(AIRFLOW, base_dir=settings.home, settings=settings):
        record = processes.recorded(settings.run_dir, "airflow")
        assert record is not None
        members = processes.members(record)
        scheduler = next(p for p in members if p.ppid() == record.pid and len(p.children()) >= settings.parallelism)
        scheduler.kill()
        deadline = time.monotonic() + 40
        while processes.is_alive(record):
            assert time.monotonic() < deadline, "the parent did not notice"
            time.sleep(0.2)
        assert not airflow_is_ready(settings)
    assert not processes.members(record)
    assert [p.pid for p in members if psutil.pid_exists(p.pid) and p.status() != psutil.STATUS_ZOMBIE] == []


class TestPatches:
    def test_a_worker_looks_often_once_its_task_has_closed_all_channels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from airflow.sdk.execution_time import supervisor

        waits: list[float] = []

        class Supervised:
            def __init__(self, channels: dict[str, str]) -> None:
                self._open_sockets = channels

            def _service_subprocess(self, max_wait_time: float) -> None:
                waits.append(max_wait_time)

        monkeypatch.setattr(supervisor, "WatchedSubprocess", Supervised)
        patches.notice_the_end_of_a_task_at_once()
        Supervised({"stdout": "open"})._service_subprocess(5.0)
        Supervised({})._service_subprocess(5.0)
        Supervised({})._service_subprocess(max_wait_time=0.001)
        assert waits == [5.0, patches.EXIT_POLL_SECONDS, 0.001]

    def test_the_supervisor_still_sleeps_without_it(self) -> None:
        """When this fails, upstream has mended it: remove the patch."""
        import inspect

        from airflow.sdk.execution_time import supervisor

        source = inspect.getsource(supervisor.ActivitySubprocess._monitor_subprocess)
        assert "MIN_HEARTBEAT_INTERVAL" in source
        assert "_open_sockets" not in source.split("max_wait_time = max(")[1].split("_service_subprocess")[0]


@pytest.mark.emulators
class TestGoogleProvider:
    """airflow_local_settings.py, in a process of its own as Airflow would import it."""

    def run(self, code: str, environment: dict[str, str]) -> str:
        path = os.pathsep.join([str(ROOT / "local" / "airflow"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip().splitlines()[-1]

    def test_importing_it_imports_neither_google_nor_airflow(self, emulated: Any) -> None:
        code = (
            "import sys, airflow_local_settings\n"
            "print([m for m in ('airflow', 'gcloud', 'google.cloud.bigquery') if m in sys.modules])"
        )
        assert self.run(code, emulated[1]) == "[]"

    def test_the_check_operators_client_reaches_the_emulator(self, emulated: Any) -> None:
        code = (
            "import airflow_local_settings\n"
            "from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook\n"
            "print(BigQueryHook(use_legacy_sql=False, location='US').get_first('select 41 + 1'))"
        )
        assert self.run(code, emulated[1]) in ("[42]", "(42,)", "['42']")

    def test_a_partition_is_seen(self, emulated: Any, mended: Any, dataset: str) -> None:
        mended.query(f"create table {dataset}.t (d date) partition by d").result()
        mended.query(f"insert into {dataset}.t values (date '2026-01-04')").result()
        code = (
            "import airflow_local_settings\n"
            "from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook\n"
            "hook = BigQueryHook(use_legacy_sql=False, location='US')\n"
            f"print([hook.table_partition_exists('{dataset}', 't', p, None) for p in ('20260104', '20260105')])"
        )
        assert self.run(code, emulated[1]) == "[True, False]"

    def test_the_asynchronous_client_reaches_the_emulator(self, emulated: Any) -> None:
        code = (
            "import airflow_local_settings\n"
            "from gcloud.aio.bigquery import bigquery\n"
            "print(bigquery.init_api_root(None))"
        )
        assert self.run(code, emulated[1]) == str((True, f"{emulated[0].bigquery_url}/bigquery/v2"))


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
