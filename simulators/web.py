"""Small helpers for answering with JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

#: Stands in a path for a slash that belongs to an id.
_SLASH = "\ue000"


def with_whole_ids(scope: Scope) -> Scope:
    """The scope with a path that splits where the sender's did: an id may hold a slash, quoted."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return scope
    return {**scope, "path": "/".join(unquote(part).replace("/", _SLASH) for part in raw.decode().split("/"))}


def id_in(request: Request, name: str = "id") -> str:
    """An id that is a part of the path."""
    return str(request.path_params[name]).replace(_SLASH, "/")


def compact(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON without spaces, as HubSpot sends it."""
    body = msgspec.json.encode(value)
    return Response(body, status, headers, media_type="application/json;charset=utf-8")


def pretty(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON with an indent of two, as Stripe sends it."""
    body = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    return Response(body, status, headers, media_type="application/json")


async def read_json(request: Request) -> Any:
    """The body as JSON. Raises ValueError if it is none."""
    try:
        return msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
