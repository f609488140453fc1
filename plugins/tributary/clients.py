"""Clients: the tenants of each source, declared in a YAML file of the deployment."""

from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tributary.errors import RefusedError
from tributary.settings import settings


class Client(BaseModel):
    """One tenant: its Airflow connection and the account that the connection must lead to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    connection: str
    account: str
    livemode: bool | None = None
    #: No record of the account is older. Left out, the first load finds the oldest record by itself.
    since: date = date(2010, 1, 1)
    required: bool = True
    #: Currency that the account reports in, lower case: Stripe's `default_currency`. The preflight compares them.
    currency: str | None = Field(default=None, pattern=r"^[a-z]{3}$")
    #: Requests per second that the account allows, where they differ from the source's documented ones.
    requests_per_second: float | None = Field(default=None, gt=0)

    @property
    def since_at(self) -> datetime:
        """The first moment of the account's first day, UTC."""
        return datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC)


_Clients = TypeAdapter(dict[str, list[Client]])


@lru_cache(maxsize=8)
def load_clients(source: str, path: Path | None = None) -> dict[str, Client]:
    """The clients of a source by id.

    Raises:
        RefusedError: naming the file and the reason.
    """
    file = path or settings().clients_path
    try:
        declared = _Clients.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise RefusedError(
            f"{file}: {error.strerror}; set TRIBUTARY_CLIENTS_FILE to the clients of this deployment"
        ) from None
    except (yaml.YAMLError, ValidationError) as error:
        raise RefusedError(f"{file}: {error}") from None
    clients = {client.client_id: client for client in declared.get(source, [])}
    if len(clients) != len(declared.get(source, [])):
        raise RefusedError(f"{file}: a client_id stands twice under {source!r}")
    return clients
