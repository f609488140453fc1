"""Stores OAuth tokens in Airflow Variables or in Google Cloud's Secret Manager."""

import base64
from contextlib import AbstractContextManager
from hashlib import sha256

import msgspec

from tributary.api.tokens import Tokens, TokenStore
from tributary.hooks.lease import lease
from tributary.settings import settings


class _Store:
    """Base of both stores: a name that Airflow masks, and one renewal at a time."""

    def __init__(self, connection: str) -> None:
        #: Airflow hides values whose name has `token` in it, in its log and UI.
        self._name = f"tributary_token_{connection}"

    def renewing(self) -> AbstractContextManager[None]:
        return lease(self._name)


class VariableTokens(_Store):
    """An Airflow Variable, encrypted with the app's secret: who may read Variables doesn't thereby hold the tokens."""

    def __init__(self, connection: str, client_secret: str) -> None:
        from cryptography.fernet import Fernet

        super().__init__(connection)
        self._fernet = Fernet(base64.urlsafe_b64encode(sha256(client_secret.encode()).digest()))

    def load(self) -> Tokens | None:
        from airflow.sdk import Variable
        from cryptography.fernet import InvalidToken

        text = Variable.get(self._name, default=None)
        try:
            return _read(self._fernet.decrypt(text.encode())) if text else None
        except InvalidToken:
            return None  # the app has another secret now: the connection's refresh token counts

    def save(self, tokens: Tokens) -> None:
        from airflow.sdk import Variable

        encrypted = self._fernet.encrypt(_hidden(tokens)).decode()
        Variable.set(self._name, encrypted, description="OAuth tokens, renewed by the ingest DAGs; encrypted")


class SecretManagerTokens(_Store):
    """A secret of the project, a version for each renewal; older versions are destroyed."""

    def __init__(self, connection: str) -> None:
        from airflow.providers.google.cloud.hooks.secret_manager import GoogleCloudSecretManagerHook

        super().__init__(connection)
        self._hook = GoogleCloudSecretManagerHook(gcp_conn_id=settings().google_conn_id)
        self._project = settings().project

    def load(self) -> Tokens | None:
        from google.api_core.exceptions import NotFound

        try:
            found = self._hook.access_secret(project_id=self._project, secret_id=self._name)
        except NotFound:
            return None
        return _read(found.payload.data)

    def save(self, tokens: Tokens) -> None:
        secret = {"project_id": self._project, "secret_id": self._name}
        if not self._hook.secret_exists(**secret):
            self._hook.create_secret(**secret)
        version = self._hook.add_secret_version(**secret, secret_payload={"data": _hidden(tokens)})
        client = self._hook.get_conn()
        for old in client.list_secret_versions(request={"parent": version.name.rpartition("/versions/")[0]}):
            if old.name != version.name and old.state.name == "ENABLED":
                client.destroy_secret_version(request={"name": old.name})


def token_store(connection: str, client_secret: str) -> TokenStore:
    """The store of a connection, as the settings say."""
    if settings().token_store == "secret_manager":  # noqa: S105
        return SecretManagerTokens(connection)
    return VariableTokens(connection, client_secret)


def _hidden(tokens: Tokens) -> bytes:
    """The tokens as JSON, kept out of every log from now on."""
    from airflow.sdk.log import mask_secret

    for secret in (tokens.access_token, tokens.refresh_token):
        mask_secret(secret)
    return msgspec.json.encode(tokens)


def _read(text: bytes) -> Tokens:
    tokens = msgspec.json.decode(text, type=Tokens)
    _hidden(tokens)
    return tokens
