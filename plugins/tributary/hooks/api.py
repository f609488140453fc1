"""An ordinary Airflow HTTP connection as the API client of a source."""

from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from requests import PreparedRequest, Session
from requests.auth import AuthBase

from tributary.api.client import ApiClient
from tributary.api.session import ExactSession, is_sendable, trimmed
from tributary.clients import Client
from tributary.errors import RefusedError
from tributary.sources.base import Source


class _Bearer(AuthBase):
    """The connection's password as a bearer token. Kept out of the session's headers, which error reports may print."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class ApiHook(HttpHook):
    """Reads a source with the credential of one client's connection.

    `host` of the connection can point anywhere; `password` is the API key or token. With `client_id` and
    `client_secret` in `extra` it is the refresh token of an OAuth app. Blanks and line breaks around any of them don't
    count.
    """

    def __init__(self, source: Source, client: Client) -> None:
        super().__init__(method="GET", http_conn_id=client.connection)
        self._source = source
        self._client = client

    def get_conn(self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None) -> Session:
        """A session with the credential and the source's headers.

        Raises:
            RefusedError: no such connection, or one without a host or password.
        """
        wanted = (
            f"set AIRFLOW_CONN_{self.http_conn_id.upper()} or add it under Admin > Connections: type http, host, "
            "and the API key as password"
        )
        try:
            connection = self.get_connection(self.http_conn_id)
        except Exception as error:
            if type(error).__name__ not in ("AirflowNotFoundException", "AirflowRuntimeError"):
                raise
            raise RefusedError(
                f"connection {self.http_conn_id} of client {self._client.client_id} does not exist; {wanted}"
            ) from None
        connection.host, password = trimmed(connection.host), trimmed(connection.password)
        if not connection.host or not password:
            lacks = "host" if not connection.host else "password"
            raise RefusedError(
                f"connection {self.http_conn_id} of client {self._client.client_id} has no {lacks}; {wanted}"
            )
        self._set_base_url(connection)
        session: Session = self._configure_session_from_mount_adapters(ExactSession())
        session.auth = self._auth(connection, password)
        session.headers.update(self._source.headers() | (headers or {}))
        self._livemode = {"_live_": True, "_test_": False}.get(password[2:8])
        return session

    def _auth(self, connection: Any, password: str) -> AuthBase:
        from airflow.sdk.log import mask_secret

        from tributary.api.oauth import OAuth
        from tributary.hooks.tokens import token_store

        app = {name: trimmed(connection.extra_dejson.get(name)) for name in ("client_id", "client_secret")}
        for name, secret in {"password": password, **app}.items():
            if secret and not is_sendable(secret):
                raise RefusedError(
                    f"connection {self.http_conn_id} of client {self._client.client_id}: its {name} holds a blank or a "
                    "character that no key has, somewhere inside; nothing was sent. Copy it once more from its source"
                )
        # Airflow hides what the connection holds, which is another text where there was something around it.
        for secret in (password, app["client_secret"]):
            if secret:
                mask_secret(secret)
        if not any(app.values()):
            return _Bearer(password)
        if self._source.token_path is None or not all(app.values()):
            missing = ", ".join(name for name, value in app.items() if not value)
            raise RefusedError(
                f"connection {self.http_conn_id} of client {self._client.client_id}: "
                + (f"extra has no {missing}; OAuth needs both" if missing else f"{self._source.name} has no OAuth here")
            )
        return OAuth(
            url=self.base_url.rstrip("/") + self._source.token_path,
            app=app,
            refresh_token=password,
            connection=self.http_conn_id,
            store=token_store(self.http_conn_id, app["client_secret"]),
        )

    def client(self) -> tuple[ApiClient, bool | None]:
        """The client, and whether its key is of live mode (None where the key doesn't tell)."""
        session = self.get_conn()
        spacing = self._source.spacing(self._client)
        api = ApiClient(session, self.base_url, self.http_conn_id, spacing, self._source.judge)
        return api, self._livemode
