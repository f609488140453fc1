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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

TOKEN = "TRIBUTARY_LOCAL_TOKEN"  # noqa: S105 - name of the variable that marks a process as ours


@dataclass(frozen=True)
class Record:
    """What is known about one started service; kept as `<name>.json` in the run directory."""

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
    """Every living process of this start: those that carry its token, and their descendants.

    Airflow makes the processes that run tasks unreadable to all but root. One of those is counted by its parent or,
    once orphaned, by its session, which is named after the started process and can't be had by anyone else while that
    process lives, nor after it while a member lives.
    """
    everyone = list(psutil.process_iter())
    found = {process.pid: process for process in everyone if _is_ours(process, record)}
    leader_is_foreign = psutil.pid_exists(record.pid) and record.pid not in found
    for process in everyone:
        if process.pid not in found and not leader_is_foreign and _is_hidden_member(process, record):
            found[process.pid] = process
    for process in list(found.values()):
        with contextlib.suppress(psutil.Error):
            found.update({child.pid: child for child in process.children(recursive=True)})
    return [process for process in found.values() if _runs(process)]


def stop(record: Record, *, patience: float) -> bool:
    """End the service: SIGTERM to the started process, SIGKILL to what is left of it after `patience` seconds.

    Returns False when there was nothing to end. Never signals a process without the record's token.
    """
    mine = members(record)
    if not mine:
        return False
    leader = [process for process in mine if process.pid == record.pid]
    # A supervisor ends its children itself, in its own order; only orphans are told one by one.
    for process in leader or mine:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while mine and time.monotonic() < deadline:
        _reap(record.pid)
        if leader and not any(process.pid == record.pid for process in mine):
            for process in mine:
                _signal(process, signal.SIGTERM)
            leader = []
        time.sleep(0.05)
        mine = members(record)
    for process in mine:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(mine, timeout=5)
    _reap(record.pid)
    return True


def tail(log: Path, lines: int = 20) -> str:
    """The log's last lines."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _is_ours(process: psutil.Process, record: Record) -> bool:
    try:
        return process.environ().get(TOKEN) == record.token and _runs(process)
    except (psutil.Error, OSError):
        return False


def _is_hidden_member(process: psutil.Process, record: Record) -> bool:
    try:
        process.environ()
    except psutil.AccessDenied:
        try:
            return os.getsid(process.pid) == record.pid and process.uids().real == os.getuid()
        except (psutil.Error, OSError):
            return False
    except (psutil.Error, OSError):
        return False
    return False


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


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
