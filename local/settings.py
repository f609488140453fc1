"""Settings of the local stack: folders of its state, and ports."""

from __future__ import annotations

import random
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]
"""The checkout that this package lies in."""

PREFIX = "TRIBUTARY_LOCAL_"
"""Every setting below can be given as an environment variable: this prefix and the field's name in capitals."""

PORT_FIELDS = ("bigquery_port", "bigquery_grpc_port", "gcs_port", "stripe_port", "hubspot_port", "airflow_port")


class LocalSettings(BaseSettings):
    """Settings of one local stack. Two stacks can run beside each other when `home` and the ports differ."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(default=ROOT / ".local", description="Directory of all state: data, logs, process ids.")
    emulators: Path = Field(default=ROOT / ".local" / "emulators", description="The emulators' own environment.")
    memory: Path = Field(
        default=ROOT / ".local" / "memory",
        description="What the BigQuery emulator remembers of statements; shared by all stacks of a clone.",
    )
    host: str = Field(default="127.0.0.1", description="Address that every service listens on.")

    bigquery_port: int = Field(default=9050, ge=1, le=65535, description="BigQuery emulator, REST.")
    bigquery_grpc_port: int = Field(default=9060, ge=1, le=65535, description="BigQuery emulator, gRPC (Storage API).")
    gcs_port: int = Field(default=4443, ge=1, le=65535, description="GCS emulator.")
    stripe_port: int = Field(default=4010, ge=1, le=65535, description="Stripe simulator.")
    hubspot_port: int = Field(default=4020, ge=1, le=65535, description="HubSpot simulator.")
    airflow_port: int = Field(default=8080, ge=1, le=65535, description="Airflow's web UI and API.")

    world_seed: int = Field(default=42, description="Seed of the simulated company.")
    world_customers: int = Field(default=300, ge=1, description="How many customers the simulated company gets.")
    world_clock: datetime = Field(
        default=datetime(2026, 1, 4, 6, tzinfo=UTC), description="What time it is in the simulated world at start."
    )

    project: str = Field(default="ml-prod-analytics", description="Google project that the emulators pretend to be.")
    location: str = Field(default="US", description="BigQuery location.")
    lake_bucket: str = Field(default="tributary-lake", description="Bucket of landing and staged files.")

    dags: Path = Field(default=ROOT / "dags", description="Airflow's DAG folder.")
    plugins: Path = Field(default=ROOT / "plugins", description="Airflow's plugins folder.")
    pools: Path = Field(default=ROOT / "include" / "pools.json", description="Pools, in `airflow pools import` form.")
    parallelism: int = Field(default=4, ge=1, description="How many tasks Airflow runs at a time.")
    schedule: bool = Field(default=False, description="Whether Airflow starts runs by itself, by the real clock.")

    @property
    def run_dir(self) -> Path:
        """Process records and logs."""
        return self.home / "run"

    @property
    def bigquery_dir(self) -> Path:
        """The BigQuery emulator's database."""
        return self.home / "bq"

    @property
    def uploads_dir(self) -> Path:
        """The folder of the BigQuery emulator for uploads under way."""
        return self.home / "bq-uploads"

    @property
    def gcs_dir(self) -> Path:
        """The GCS emulator's objects, one folder per bucket. The BigQuery emulator reads `gs://` here."""
        return self.home / "gcs"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME: configuration, metadata database, task logs."""
        return self.home / "airflow"

    @property
    def dbt_cache(self) -> Path:
        """Directory of what dbt parsed last, and whatever else Cosmos keeps between tasks."""
        return self.home / "dbt-cache"

    @property
    def demo_report(self) -> Path:
        """The file with the report of the last demo, as JSON."""
        return self.home / "demo.json"

    @property
    def bigquery_url(self) -> str:
        return f"http://{self.host}:{self.bigquery_port}"

    @property
    def gcs_url(self) -> str:
        return f"http://{self.host}:{self.gcs_port}"

    @property
    def stripe_url(self) -> str:
        return f"http://{self.host}:{self.stripe_port}"

    @property
    def hubspot_url(self) -> str:
        return f"http://{self.host}:{self.hubspot_port}"

    @property
    def airflow_url(self) -> str:
        return f"http://{self.host}:{self.airflow_port}"

    def variable(self, field: str) -> str:
        """Name of the environment variable that sets `field`."""
        return PREFIX + field.upper()


#: Below the ports that systems give to outgoing connections: one could take a free port before its service does.
_FREE_PORTS = range(20_000, 32_000)


def on_free_ports(home: Path, **overrides: Any) -> LocalSettings:
    """Settings of a stack with its state in `home` and every port one that is free now."""
    held: list[socket.socket] = []
    try:
        for port in random.sample(_FREE_PORTS, len(_FREE_PORTS)):
            if len(held) == len(PORT_FIELDS):
                break
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                candidate.close()
            else:
                held.append(candidate)
        ports = {field: s.getsockname()[1] for field, s in zip(PORT_FIELDS, held, strict=True)}
    finally:
        for s in held:
            s.close()
    return LocalSettings(**{**ports, "home": home, **overrides})
