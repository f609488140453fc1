"""OAuth tokens: what one is, and where tokens are kept between tasks."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec


class Tokens(msgspec.Struct, kw_only=True, frozen=True):
    """The OAuth tokens that an authorisation server issued last."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    #: Fingerprint of the refresh token that a person put into the connection; another one there begins anew.
    origin: str


class TokenStore(Protocol):
    """Keeps the tokens of one connection. An Airflow 3 task can't write into the connection itself."""

    def load(self) -> Tokens | None:
        """The tokens that were saved last; None before the first time."""

    def save(self, tokens: Tokens) -> None:
        """Keep these from now on."""

    def renewing(self) -> AbstractContextManager[None]:
        """Held by one task at a time, wherever it runs; the others wait."""
