"""Starting and stopping a local stack."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import processes, warehouse
from local.environment import environment
from local.errors import LocalStackError
from local.services import EMULATORS, EVERYTHING, Service, declare, port_is_taken
from local.settings import ROOT, LocalSettings, on_free_ports

START_SECONDS = 180.0
"""After this long a service that has not become ready is given up."""

Report = Callable[[Service, str, float], None]
"""Called as (service, what happened, seconds since the start began)."""


def up(settings: LocalSettings, names: Collection[str] = EVERYTHING, report: Report | None = None) -> dict[str, str]:
    """Start what does not run yet, wait until all of it answers, create bucket and datasets.

    Returns the environment that points at the stack. Raises LocalStackError when a port is taken or a service fails;
    what had been started by this call is then stopped again.
    """
    report = report or (lambda *_: None)
    services = [service for name, service in declare(settings).items() if name in names]
    variables = environment(settings)
    with _lock(settings):
        started: list[processes.Record] = []
        begun = time.monotonic()
        try:
            waiting: dict[str, tuple[Service, processes.Record]] = {}
            missing = [service for service in services if not _runs(settings, service)]
            for service in missing:
                _end_leftovers(settings, service)
                _refuse_taken_ports(settings, service)
            for service in missing:
                record = _start(settings, service)
                started.append(record)
                waiting[service.name] = (service, record)
                report(service, "starting", 0.0)
            _wait(waiting, begun, report)
            if set(EMULATORS) <= set(names):
                warehouse.prepare(variables)
        except BaseException:
            for record in started:
                processes.stop(record, patience=5)
                processes.forget(settings.run_dir, record.name)
            raise
    return variables


def down(settings: LocalSettings) -> list[str]:
    """Stop everything that `up` started. Returns the names of what was running."""
    stopped = []
    with _lock(settings):
        services = declare_safely(settings)
        # Airflow first: its tasks use the others.
        for record in sorted(processes.all_recorded(settings.run_dir), key=lambda r: r.name != "airflow"):
            service = services.get(record.name)
            if processes.stop(record, patience=service.stop_seconds if service else 15.0):
                stopped.append(record.name)
            processes.forget(settings.run_dir, record.name)
    return stopped


def wipe(settings: LocalSettings) -> None:
    """Delete all state of the stack. To be called when it is down."""
    data = (settings.bigquery_dir, settings.gcs_dir, settings.uploads_dir)
    for folder in (*data, settings.airflow_home, settings.dbt_cache, settings.run_dir):
        shutil.rmtree(folder, ignore_errors=True)
    settings.demo_report.unlink(missing_ok=True)


def running(settings: LocalSettings) -> list[str]:
    """Names of the services that run."""
    return [record.name for record in processes.all_recorded(settings.run_dir) if processes.is_alive(record)]


@contextmanager
def start_stack(
    services: Collection[str] = EMULATORS, *, base_dir: Path, settings: LocalSettings | None = None, **overrides: Any
) -> Iterator[dict[str, str]]:
    """A stack for tests: on free ports, with its state under `base_dir`, stopped at the end.

    Yields the environment that points at it. `overrides` are fields of LocalSettings, e.g. `world_customers=20`.
    """
    settings = settings or on_free_ports(base_dir, **overrides)
    try:
        yield up(settings, services)
    finally:
        down(settings)


def _runs(settings: LocalSettings, service: Service) -> bool:
    record = processes.recorded(settings.run_dir, service.name)
    return record is not None and processes.is_alive(record)


def _end_leftovers(settings: LocalSettings, service: Service) -> None:
    """A service that died may have left processes behind; the record of a new start would hide them for good."""
    former = processes.recorded(settings.run_dir, service.name)
    if former:
        processes.stop(former, patience=0)


def _start(settings: LocalSettings, service: Service) -> processes.Record:
    for folder in service.folders:
        folder.mkdir(parents=True, exist_ok=True)
    if service.prepare:
        service.prepare()
    inherited = {**os.environ, "PYTHONUNBUFFERED": "1", **service.environment}
    # Every task would compile our own modules anew.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return processes.start(service.name, service.command, run_dir=settings.run_dir, environment=inherited, cwd=ROOT)


def _wait(waiting: dict[str, tuple[Service, processes.Record]], begun: float, report: Report) -> None:
    while waiting:
        elapsed = time.monotonic() - begun
        for name, (service, record) in list(waiting.items()):
            if service.ready():
                report(service, "ready", elapsed)
                del waiting[name]
            elif not processes.is_alive(record):
                raise LocalStackError(_failure(service, record, "ended while starting"))
            elif elapsed > START_SECONDS:
                raise LocalStackError(_failure(service, record, f"was not ready after {START_SECONDS:.0f} s"))
        if waiting:
            time.sleep(0.1)


def _failure(service: Service, record: processes.Record, what: str) -> str:
    log = Path(record.log)
    return f"{service.title} {what}. The end of its log, {log}:\n\n{processes.tail(log)}"


def _refuse_taken_ports(settings: LocalSettings, service: Service) -> None:
    for port, field in service.ports.items():
        if port_is_taken(settings.host, port):
            raise LocalStackError(
                f"Port {port}, wanted by the {service.title}, is in use by another program. "
                f"Stop that program or choose another port with {settings.variable(field)}."
            )


def declare_safely(settings: LocalSettings) -> dict[str, Service]:
    """The declared services, or none where the emulators are not installed (anymore)."""
    try:
        return declare(settings)
    except LocalStackError:
        return {}


@contextmanager
def _lock(settings: LocalSettings) -> Iterator[None]:
    """One `up` or `down` of a stack at a time; a second one waits."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with (settings.run_dir / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
