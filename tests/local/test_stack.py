"""`up` and `down` with real services on free ports."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local import processes, stack
from local.environment import environment
from local.errors import LocalStackError
from local.settings import PORT_FIELDS, ROOT, LocalSettings, on_free_ports

pytestmark = pytest.mark.emulators


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return on_free_ports(tmp_path / "stack")


def test_free_ports_are_all_different(tmp_path: Path) -> None:
    settings = on_free_ports(tmp_path)
    assert len({getattr(settings, field) for field in PORT_FIELDS}) == len(PORT_FIELDS)


def test_up_starts_once_and_down_stops(settings: LocalSettings) -> None:
    said: list[str] = []
    stack.up(settings, ["gcs"], lambda service, what, seconds: said.append(f"{service.name} {what}"))
    try:
        record = processes.recorded(settings.run_dir, "gcs")
        assert said == ["gcs starting", "gcs ready"]
        assert stack.running(settings) == ["gcs"]
        stack.up(settings, ["gcs"])
        assert processes.recorded(settings.run_dir, "gcs") == record, "the second up started nothing"
    finally:
        assert stack.down(settings) == ["gcs"]
    assert stack.running(settings) == []
    assert stack.down(settings) == []


def test_what_a_service_that_died_left_behind_is_ended_before_it_starts_again(
    settings: LocalSettings, tmp_path: Path
) -> None:
    code = (
        "import subprocess, sys, pathlib\n"
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        "pathlib.Path('left').write_text(str(c.pid))"
    )
    settings.run_dir.mkdir(parents=True)
    command = [sys.executable, "-c", code]
    died = processes.start("gcs", command, run_dir=settings.run_dir, environment=os.environ, cwd=tmp_path)
    os.waitpid(died.pid, 0)
    left = psutil.Process(int((tmp_path / "left").read_text()))
    assert left.is_running()
    try:
        stack.up(settings, ["gcs"])
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
        assert stack.running(settings) == ["gcs"]
    finally:
        stack.down(settings)


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(settings: LocalSettings) -> None:
    foreign = subprocess.Popen(
        ["python3", "-m", "http.server", str(settings.gcs_port), "--bind", settings.host],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(settings.gcs_port)
        with pytest.raises(LocalStackError) as refusal:
            stack.up(settings, ["gcs", "bigquery"])
        assert str(settings.gcs_port) in str(refusal.value)
        assert "TRIBUTARY_LOCAL_GCS_PORT" in str(refusal.value)
        assert stack.running(settings) == [], "nothing is left half started"
        assert stack.down(settings) == []
        assert foreign.poll() is None, "the other program still runs"
    finally:
        foreign.kill()
        foreign.wait()


def test_a_service_that_ends_at_once_is_told_with_the_end_of_its_log(settings: LocalSettings) -> None:
    settings.home.mkdir(parents=True)
    settings.bigquery_dir.mkdir()
    (settings.bigquery_dir / "bqemulator.duckdb").write_text("this is no database")
    with pytest.raises(LocalStackError, match=r"BigQuery emulator ended while starting(.|\n)*bigquery\.log"):
        stack.up(settings, ["gcs", "bigquery"])
    assert stack.running(settings) == [], "what had been started before was stopped again"


def test_what_airflow_and_dbt_write_lies_in_the_stacks_home(settings: LocalSettings) -> None:
    """Nothing in the machine's temporary folder, which belongs to whoever came first, or to another clone."""
    variables = environment(settings)
    given = ("/", "sqlite:///")
    places = [name for name, value in variables.items() if value.startswith(given) and str(ROOT) not in value]
    assert {"AIRFLOW_HOME", "AIRFLOW__COSMOS__CACHE_DIR", "AIRFLOW__LOGGING__BASE_LOG_FOLDER"} <= set(places)
    assert all(str(settings.home) in variables[name] for name in places)
    settings.dbt_cache.mkdir(parents=True)
    stack.wipe(settings)
    assert not settings.dbt_cache.exists()


def test_data_survives_down_and_up_but_not_reset(settings: LocalSettings) -> None:
    stack.up(settings, ["gcs"])
    stack.down(settings)
    (settings.gcs_dir / "some-bucket").mkdir()
    stack.up(settings, ["gcs"])
    stack.down(settings)
    assert (settings.gcs_dir / "some-bucket").exists()
    stack.wipe(settings)
    assert not settings.gcs_dir.exists()
    assert not settings.run_dir.exists()


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)
