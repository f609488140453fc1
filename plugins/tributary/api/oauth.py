"""OAuth for requests: an access token on every request, renewed when it has expired."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
import requests
from requests.auth import AuthBase

from tributary.api.tokens import Tokens, TokenStore
from tributary.errors import RefusedError

log = logging.getLogger(__name__)

_TIMEOUT = (10.0, 30.0)
#: A token that expires so soon would not outlive the request.
_MARGIN = timedelta(seconds=30)


class _Granted(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: float


class OAuth(AuthBase):
    """The refresh-token grant.

    On a 401 the token is renewed and the request sent again, once. What the server hands out is saved before it is
    used: it may have withdrawn the refresh token that it was given, and a task that dies then would lock everybody out.

    Args:
        url: the token endpoint.
        app: `client_id` and `client_secret`.
        refresh_token: what a person put into the connection; used until the store has a newer one.
        connection: Airflow connection id, for error messages.
    """

    def __init__(
        self, *, url: str, app: Mapping[str, str], refresh_token: str, connection: str, store: TokenStore
    ) -> None:
        self._url = url
        self._app = app
        self._first = refresh_token
        self._origin = blake2b(refresh_token.encode(), digest_size=8).hexdigest()
        self._connection = connection
        self._store = store
        self._access: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._access is None:
            self._renew()
        request.headers["Authorization"] = f"Bearer {self._access}"
        request.register_hook("response", self._answered)  # type: ignore[no-untyped-call]
        return request

    def _answered(self, answer: requests.Response, **options: Any) -> requests.Response:
        if answer.status_code != 401:
            return answer
        self._renew()
        _ = answer.content  # gives the connection back to its pool
        answer.close()
        again = answer.request.copy()
        again.headers["Authorization"] = f"Bearer {self._access}"
        second: requests.Response = answer.connection.send(again, **options)
        second.history.append(answer)
        return second

    def _renew(self) -> None:
        """Take the tokens of another task that was faster, or new ones from the server."""
        with self._store.renewing():
            known = self._store.load()
            if known and known.origin != self._origin:
                known = None
            usable = known and known.access_token != self._access and known.expires_at > datetime.now(UTC) + _MARGIN
            if known is None or not usable:
                known = self._granted(known.refresh_token if known else self._first)
                self._store.save(known)
                log.info("connection %s: a new access token until %s", self._connection, known.expires_at)
            self._access = known.access_token

    def _granted(self, refresh_token: str) -> Tokens:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self._app}
        answer = requests.post(self._url, data=form, timeout=_TIMEOUT)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise requests.ConnectionError(f"the token endpoint answered {answer.status_code}")
        try:
            granted = msgspec.json.decode(answer.content, type=_Granted) if answer.ok else None
        except msgspec.DecodeError:
            granted = None
        if granted is None:
            raise RefusedError(
                f"connection {self._connection}: no new access token ({answer.status_code}); authorise the app once "
                "more, put its refresh token into the connection's password, and check client_id and client_secret in "
                "its extra"
            )
        expires_at = datetime.now(UTC) + timedelta(seconds=granted.expires_in)
        return Tokens(
            access_token=granted.access_token,
            refresh_token=granted.refresh_token,
            expires_at=expires_at,
            origin=self._origin,
        )
