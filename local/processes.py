"""Background processes that can be found again, so that only what was started here is ever stopped.

A process id alone is no proof: the system hands it out again. Each start draws a token, puts it into the new process's
environment, where all its descendants inherit it, and records it beside the process id. Whatever carries the token
belongs to that start, whatever doesn't is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

TOKEN = "TRIBUTARY_LOCAL_TOKEN"  # noqa: S105 - name of the variable that marks a process as ours

ORPHAN_SECONDS = 2.0
START_SECONDS = 5.0


@dataclass(frozen=True)
class Record:
    """The record of a started service; kept as `<name>.json` in the run directory."""

    name: str
    pid: int
    token: str
    command: list[str]
    log: str


def start(name: str, command: Sequence[str], *, run_dir: Path, environment: Mapping[str, str], cwd: Path) -> Record:
    """Start `command` in a session of its own, detached from the terminal; output goes to `<run_dir>/<name>.log`."""
    run_dir.mkdir(parents=True, exist_ok=True)
    token = uuid.uuid4().hex
    log = run_dir / f"{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**environment, TOKEN: token},
            start_new_session=True,
        )
    record = Record(name=name, pid=process.pid, token=token, command=list(command), log=str(log))
    _path(run_dir, name).write_text(json.dumps(asdict(record), indent=1))
    # The system shows the environment only a moment after the program has begun; until then it is not known as ours.
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and not is_alive(record) and time.monotonic() < deadline:
        time.sleep(0.005)
    return record


def recorded(run_dir: Path, name: str) -> Record | None:
    """The record of the service's last start, whether or not it still runs."""
    try:
        return Record(**json.loads(_path(run_dir, name).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def all_recorded(run_dir: Path) -> list[Record]:
    """Every record in the run directory."""
    records = (recorded(run_dir, path.stem) for path in sorted(run_dir.glob("*.json")))
    return [record for record in records if record]


def forget(run_dir: Path, name: str) -> None:
    """Remove the record."""
    _path(run_dir, name).unlink(missing_ok=True)


def is_alive(record: Record) -> bool:
    """True while the started process itself runs (its children alone don't count)."""
    try:
        return _is_ours(psutil.Process(record.pid), record)
    except psutil.NoSuchProcess:
        return False


def members(record: Record) -> list[psutil.Process]:
    """Every living process of this start.

    That is: those that carry its token, and those in its session, which all descendants stay in unless they open their
    own. The session is what finds Airflow's workers, whose environment can't be read: they write their titles over
    it, and those that run tasks are closed to all but root. A session is named after the started process; the system
    gives that id to nobody else while the session has members, so it proves nothing only once a foreign process runs
    under it.
    """
    found: dict[int, psutil.Process] = {}
    hidden: list[psutil.Process] = []
    for process in psutil.process_iter():
        variables = _environment(process)
        if variables.get(TOKEN) == record.token:
            found[process.pid] = process
        elif not variables and _session(process) == record.pid:
            hidden.append(process)
    if record.pid in found or not psutil.pid_exists(record.pid):
        found.update({process.pid: process for process in hidden})
    return [process for process in found.values() if _runs(process)]


def stop(record: Record, *, patience: float) -> bool:
    """End the service: SIGTERM to the started process, SIGKILL to it and all it has left behind.

    The started process gets `patience` seconds to end its children, in its own order, and itself; orphans get
    ORPHAN_SECONDS. Returns False when there was nothing to end. Never signals a process that isn't a member.
    """
    if not members(record):
        return False
    if is_alive(record):
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(record.pid).terminate()
        _until(lambda: not is_alive(record), patience, record.pid)
    for process in members(record):
        _signal(process, signal.SIGTERM)
    _until(lambda: not members(record), ORPHAN_SECONDS, record.pid)
    left = members(record)
    for process in left:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(left, timeout=5)
    _reap(record.pid)
    return True


def tail(log: Path, lines: int = 20) -> str:
    """The log's last lines."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _is_ours(process: psutil.Process, record: Record) -> bool:
    return _environment(process).get(TOKEN) == record.token and _runs(process)


def _environment(process: psutil.Process) -> dict[str, str]:
    """The process's environment; empty when it can't be read."""
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid) if process.uids().real == os.getuid() else None
    except (psutil.Error, OSError):
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _until(done: Callable[[], bool], seconds: float, pid: int) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _reap(pid)
        if done():
            return
        time.sleep(0.05)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _reap(pid: int) -> None:
    """Collect the exit status when the process is a child of ours, so that it doesn't linger as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _path(run_dir: Path, name: str) -> Path:
    return run_dir / f"{name}.json"
