"""Access tokens: private ones that last, and those that OAuth hands out for half an hour of the world's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.hubspot.errors import HubSpotError, missing_scopes, unauthorized
from simulators.hubspot.scopes import ALL
from simulators.world.moments import SECOND, iso
from simulators.world.store import JsonObject

CLIENT_ID = "tributary-app"
CLIENT_SECRET = "tributary-app-secret"  # noqa: S105  (it opens nothing but this simulator)
REFRESH_TOKEN = "na1-tributary-refresh-0"  # noqa: S105
CODE = "na1-tributary-code"
LIFETIME = 1_800


@dataclass(slots=True)
class Token:
    """`kind` is private or oauth. Without an end it lasts."""

    value: str
    kind: str
    scopes: tuple[str, ...]
    issued_at: int
    expires_at: int | None = None
    revoked: bool = False
    used: int = 0

    def as_object(self) -> JsonObject:
        return {
            "token": self.value,
            "kind": self.kind,
            "scopes": list(self.scopes),
            "issued_at": iso(self.issued_at),
            "expires_at": None if self.expires_at is None else iso(self.expires_at),
            "revoked": self.revoked,
            "used": self.used,
        }


class Tokens:
    """Issues, checks and revokes tokens; `clock` tells the world's time in ms."""

    def __init__(self, private: str, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.known: dict[str, Token] = {private: Token(private, "private", ALL, clock())}
        self.refresh_token = REFRESH_TOKEN
        self.scopes = ALL
        self.lifetime = LIFETIME
        self.rotates = False
        self.refreshes = 0

    def check(self, header: str | None) -> Token:
        """The token of an Authorization header. Raises the 401 that it deserves."""
        token = self.known.get((header or "").removeprefix("Bearer ")) if (header or "").startswith("Bearer ") else None
        if token is None:
            raise unauthorized()
        token.used += 1
        over = token.expires_at is not None and self._clock() >= token.expires_at
        if token.revoked or over:
            raise unauthorized(expired=token.kind == "oauth")
        return token

    def require(self, token: Token, any_of: tuple[str, ...]) -> None:
        """Raises the 403 that names the scopes, unless the token has one of them."""
        if any_of and not set(any_of) & set(token.scopes):
            raise missing_scopes(any_of)

    def grant(self, form: Mapping[str, str], portal_id: int) -> JsonObject:
        """The answer of the token endpoint to a form. Raises HubSpotError with HubSpot's reasons."""
        grant = form.get("grant_type")
        if grant not in ("refresh_token", "authorization_code"):
            raise _refused("BAD_GRANT_TYPE", "missing or unknown grant type")
        if form.get("client_id") != CLIENT_ID:
            raise _refused("BAD_CLIENT_ID", "missing or unknown client id")
        if form.get("client_secret") != CLIENT_SECRET:
            raise _refused("BAD_CLIENT_SECRET", "missing or invalid client secret")
        if grant == "authorization_code":
            if form.get("code") != CODE or not form.get("redirect_uri"):
                raise _refused("BAD_AUTH_CODE", "missing or unknown auth code")
        elif form.get("refresh_token") != self.refresh_token:
            raise _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        self.refreshes += 1
        if self.rotates:
            self.refresh_token = f"na1-tributary-refresh-{self.refreshes}"
        token = self.issue(f"CJ-tributary-access-{self.refreshes}", "oauth", self.scopes, self.lifetime)
        return {
            "token_type": "bearer",
            "refresh_token": self.refresh_token,
            "access_token": token.value,
            "hub_id": portal_id,
            "scopes": list(token.scopes),
            "expires_in": self.lifetime,
            "user_id": 4_910_901,
            "token_use": "access_token",
        }

    def issue(self, value: str, kind: str, scopes: tuple[str, ...], lifetime: int | None) -> Token:
        now = self._clock()
        end = None if lifetime is None else now + lifetime * SECOND
        token = self.known[value] = Token(value, kind, scopes, now, end)
        return token

    def info(self, value: str, portal_id: int) -> JsonObject:
        """Return HubSpot's metadata of an access token."""
        token = self.known.get(value)
        if token is None or token.kind != "oauth" or token.expires_at is None:
            raise HubSpotError(404, "access token not found", status_text="not found")
        left = max(0, (token.expires_at - self._clock()) // SECOND)
        more: dict[str, Any] = {"hub_id": portal_id, "app_id": 1_184_203, "expires_in": left, "user_id": 4_910_901}
        return {"token": value, "token_type": "access", "scopes": list(token.scopes), **more}


def _refused(status: str, message: str) -> HubSpotError:
    return HubSpotError(400, message, status_text=status)
