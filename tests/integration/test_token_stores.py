"""Both token stores, each against the real thing that it stands on: Airflow's own API, Google's own client."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.api_core.client_options import ClientOptions
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from tests.conftest import ROOT
from tributary.api.tokens import Tokens
from tributary.hooks.tokens import SecretManagerTokens

TOKENS = Tokens(
    access_token="CJ-access-of-the-test",
    refresh_token="na1-refresh-of-the-test",
    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    origin="abc",
)

DAG = """
from airflow.sdk import DAG, task
from tests.integration.test_token_stores import TOKENS
from tributary.hooks.tokens import VariableTokens

with DAG(dag_id="stores_tokens"):
    @task
    def keep():
        VariableTokens("hubspot_default", "the app's secret").save(TOKENS)

    @task
    def look():
        assert VariableTokens("hubspot_default", "the app's secret").load() == TOKENS
        assert VariableTokens("hubspot_default", "another secret").load() is None
        assert VariableTokens("another_connection", "the app's secret").load() is None

    keep() >> look()
"""


@pytest.mark.airflow
def test_a_task_keeps_tokens_encrypted_in_a_variable_and_the_next_one_finds_them(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "stores_tokens.py").write_text(DAG)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
    }

    def airflow(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    airflow("db", "migrate")
    log = airflow("dags", "test", "stores_tokens", "2026-01-05")
    stored = airflow("variables", "get", "tributary_token_hubspot_default")
    for text in (log, stored):
        assert TOKENS.access_token not in text and TOKENS.refresh_token not in text


class Secrets:
    """Google's Secret Manager as far as one secret needs it, behind its own wire format."""

    def __init__(self) -> None:
        self.versions: dict[str, list[sm.SecretVersion]] = {}
        self.data: dict[str, bytes] = {}

    def ListSecrets(self, request: Any, context: Any) -> Any:
        return sm.ListSecretsResponse(secrets=[sm.Secret(name=name) for name in self.versions])

    def CreateSecret(self, request: Any, context: Any) -> Any:
        name = f"{request.parent}/secrets/{request.secret_id}"
        assert request.secret.replication.automatic is not None
        self.versions[name] = []
        return sm.Secret(name=name)

    def AddSecretVersion(self, request: Any, context: Any) -> Any:
        known = self.versions[request.parent]
        version = sm.SecretVersion(name=f"{request.parent}/versions/{len(known) + 1}", state="ENABLED")
        known.append(version)
        self.data[version.name] = request.payload.data
        return version

    def ListSecretVersions(self, request: Any, context: Any) -> Any:
        return sm.ListSecretVersionsResponse(versions=self.versions[request.parent])

    def DestroySecretVersion(self, request: Any, context: Any) -> Any:
        version = next(v for known in self.versions.values() for v in known if v.name == request.name)
        version.state = sm.SecretVersion.State.DESTROYED
        del self.data[version.name]
        return version

    def AccessSecretVersion(self, request: Any, context: Any) -> Any:
        name = request.name.removesuffix("/versions/latest")
        if not self.versions.get(name):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such secret")
        latest = self.versions[name][-1].name
        return sm.AccessSecretVersionResponse(name=latest, payload={"data": self.data[latest]})


REQUESTS = {
    "ListSecrets": sm.ListSecretsRequest,
    "CreateSecret": sm.CreateSecretRequest,
    "AddSecretVersion": sm.AddSecretVersionRequest,
    "ListSecretVersions": sm.ListSecretVersionsRequest,
    "DestroySecretVersion": sm.DestroySecretVersionRequest,
    "AccessSecretVersion": sm.AccessSecretVersionRequest,
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    """A server that speaks Secret Manager's protocol, and Google's client pointed at it."""
    found = Secrets()
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(found, name),
            request_deserializer=type_.deserialize,
            response_serializer=lambda answer: type(answer).serialize(answer),
        )
        for name, type_ in REQUESTS.items()
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    client = sm.SecretManagerServiceClient(
        transport=SecretManagerServiceGrpcTransport(channel=channel), client_options=ClientOptions()
    )
    monkeypatch.setenv(
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT",
        json.dumps({"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True, "project": "p"}}),
    )
    from airflow.providers.google.cloud.hooks.secret_manager import GoogleCloudSecretManagerHook

    monkeypatch.setattr(GoogleCloudSecretManagerHook, "client", client)
    yield found
    channel.close()
    server.stop(0)


def test_secret_manager_keeps_one_version_alive(secrets: Secrets) -> None:
    store = SecretManagerTokens("hubspot_default")
    assert store.load() is None
    store.save(TOKENS)
    assert store.load() == TOKENS
    [name] = secrets.versions
    assert name == "projects/ml-prod-analytics/secrets/tributary_token_hubspot_default"
    second = Tokens(access_token="CJ-2", refresh_token="na1-2", expires_at=TOKENS.expires_at, origin="abc")
    store.save(second)
    assert store.load() == second
    assert [version.state.name for version in secrets.versions[name]] == ["DESTROYED", "ENABLED"]
    assert SecretManagerTokens("another_connection").load() is None
