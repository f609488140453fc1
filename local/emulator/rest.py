"""Judges the bodies of REST requests: by Google's description of the API, and by BigQuery's limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.emulator import discovery
from local.emulator.googlesql import limits
from local.emulator.googlesql.service import Refused


def apply() -> None:
    """Answer 400 to a body with a field, a type or a value that the API doesn't have. Stock ignores them."""
    from bqemulator.domain.errors import ValidationError
    from starlette.requests import Request

    read = Request.json

    async def read_known(self: Any) -> Any:
        body = await read(self)
        for problem in _problems(self.method, self.url.path, body):
            raise ValidationError(problem)
        return body

    Request.json = read_known  # type: ignore[method-assign]


def _problems(method: str, path: str, body: Any) -> Iterator[str]:
    yield from discovery.problems(method, path, body)
    try:
        if path.rstrip("/").endswith("/jobs"):
            configuration = body.get("configuration") or {}
            limits.check_labels(configuration.get("labels") or {})
            limits.check_resource({"schema": (configuration.get("load") or {}).get("schema")})
        elif "/tables" in path:
            limits.check_resource(body)
    except Refused as refusal:
        yield str(refusal)
