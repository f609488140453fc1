"""Small helpers for answering with JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response


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
