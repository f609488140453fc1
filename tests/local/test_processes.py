"""Only what was started here is ever stopped, and all of it is."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local import processes

SLEEP = "import time; time.sleep(300)"


def start(tmp_path: Path, code: str, name: str = "service") -> processes.Record:
    return processes.start(name, [sys.executable, "-c", code], run_dir=tmp_path, environment=os.environ, cwd=tmp_path)


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text().strip()


def test_a_started_process_is_found_again_and_ended(tmp_path: Path) -> None:
    record = start(tmp_path, SLEEP)
    found = processes.recorded(tmp_path, "service")
    assert found == record
    assert processes.is_alive(record)
    assert processes.stop(record, patience=5)
    assert not processes.is_alive(record)
    assert not psutil.pid_exists(record.pid)
    assert not processes.stop(record, patience=5), "nothing is left to end"


def test_a_process_id_that_now_belongs_to_somebody_else_is_left_alone(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    record = start(tmp_path, SLEEP)
    processes.stop(record, patience=5)
    reused = replace(record, pid=sleeper.pid)
    assert not processes.is_alive(reused)
    assert not processes.stop(reused, patience=1)
    assert sleeper.poll() is None


def test_children_end_with_it_also_those_in_a_session_of_their_own(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib\n"
        f"c = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True)\n"
        "pathlib.Path('child').write_text(f'{c.pid}\\n')\n"
        "time.sleep(300)"
    )
    record = start(tmp_path, code)
    child = int(wait_for(tmp_path / "child"))
    while not psutil.Process(child).environ():
        pass  # it has only just begun
    processes.stop(record, patience=5)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_orphans_of_a_process_that_died_are_ended_too(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, pathlib\n"
        f"c = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "pathlib.Path('child').write_text(f'{c.pid}\\n')"
    )
    record = start(tmp_path, code)
    child = int(wait_for(tmp_path / "child"))
    os.waitpid(record.pid, 0)
    assert not processes.is_alive(record)
    assert processes.stop(record, patience=5)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_orphans_that_have_overwritten_their_environment_are_ended_too(tmp_path: Path) -> None:
    """As Airflow's workers do, by setting their title."""
    code = (
        "import os, sys, time, pathlib\n"
        "from setproctitle import setproctitle\n"
        "if os.fork() == 0:\n"
        "    setproctitle('worker ' + 'x' * 10000)\n"
        "    pathlib.Path('child').write_text(f'{os.getpid()}\\n')\n"
        "    time.sleep(300)\n"
        "time.sleep(300)"
    )
    record = start(tmp_path, code)
    child = psutil.Process(int(wait_for(tmp_path / "child")))
    assert processes.TOKEN not in child.environ()
    psutil.Process(record.pid).kill()
    os.waitpid(record.pid, 0)
    assert processes.stop(record, patience=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_what_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path('ready').write_text('yes\\n')\n"
        "time.sleep(300)"
    )
    record = start(tmp_path, code)
    wait_for(tmp_path / "ready")
    begun = time.monotonic()
    assert processes.stop(record, patience=1)
    assert time.monotonic() - begun < 5
    assert not processes.is_alive(record)


@pytest.mark.parametrize("text", ["", "{", json.dumps({"pid": 1})])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "service.json").write_text(text)
    assert processes.recorded(tmp_path, "service") is None
    assert processes.all_recorded(tmp_path) == []


def test_output_goes_to_the_log_and_its_end_can_be_shown(tmp_path: Path) -> None:
    record = start(tmp_path, "print(*range(100), sep='\\n')")
    os.waitpid(record.pid, 0)
    assert processes.tail(Path(record.log), 3) == "97\n98\n99"
    assert processes.tail(tmp_path / "none.log") == ""
