"""Settings of a deployment, read from environment variables `TRIBUTARY_*` and nothing else."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Names in Google Cloud and where the declarations are. Defaults are the design's."""

    model_config = SettingsConfigDict(env_prefix="TRIBUTARY_", frozen=True)

    project: str = "ml-prod-analytics"
    location: str = "US"
    lake_bucket: str = "tributary-lake"
    google_conn_id: str = "google_cloud_default"
    #: Holds the key that personal data is hashed with.
    pii_conn_id: str = "pii_default"
    #: Every BigQuery job is refused above this many billed bytes.
    maximum_bytes_billed: int = 100 * 1024**3
    #: Stage tables expire by themselves after this many hours.
    stage_expiration_hours: int = 72
    include_dir: Path = REPOSITORY / "include"
    #: A date such as 2026-09, of those that HubSpot supports (18 months each), or v3.
    hubspot_version: str = Field(default="2026-09", pattern=r"^(\d{4}-\d{2}|v3)$")
    #: Where OAuth tokens are kept: encrypted in Airflow Variables, or in Google Cloud's Secret Manager.
    token_store: Literal["variable", "secret_manager"] = "variable"  # noqa: S105
    #: The clients of this deployment; see include/clients.yml for the format.
    clients_file: Path | None = None

    @property
    def contracts_dir(self) -> Path:
        return self.include_dir / "contracts"

    @property
    def sql_dir(self) -> Path:
        return self.include_dir / "sql"

    @property
    def clients_path(self) -> Path:
        return self.clients_file or self.include_dir / "clients.yml"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
