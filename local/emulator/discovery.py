"""Holds requests against Google's own description of the BigQuery API: the discovery document of `bigquery.v2`.

The document comes with `google-api-python-client`, which is locked with the project. `TRIBUTARY_LOCAL_DISCOVERY` is its
path.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

DOCUMENT = "TRIBUTARY_LOCAL_DISCOVERY"
_BASE = re.compile(r"^/(?:upload/)?bigquery/v2/")
#: Where a description lists all values of a text: `* WRITE_APPEND: …`, `* INTEGER (or INT64)`.
_LISTED = re.compile(r"(?:following values are supported|[Pp]ossible values include):(.*)", re.DOTALL)
_VALUE = re.compile(r"\* `?([A-Z][A-Z0-9_]+)`?(?: \(or ([A-Z0-9]+)\))?")


def problems(method: str, path: str, body: Any) -> Iterator[str]:
    """Yield what the API would refuse in a request body, in its words; nothing where no document is given."""
    document = _document()
    called = _BASE.sub("", path)
    for pattern, verb, schema in _methods():
        if verb == method and pattern.fullmatch(called):
            yield from _object(document["schemas"], schema, body, "")
            return


@cache
def _document() -> dict[str, Any]:
    path = os.environ.get(DOCUMENT)
    return dict(json.loads(Path(path).read_text())) if path else {"schemas": {}, "resources": {}}


@cache
def _methods() -> list[tuple[re.Pattern[str], str, str]]:
    return [
        (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", call["path"])), call["httpMethod"], call["request"]["$ref"])
        for resource in _document()["resources"].values()
        for call in resource.get("methods", {}).values()
        if "request" in call
    ]


def _object(schemas: Mapping[str, Any], name: str, body: Any, where: str) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"Invalid value at '{where or name}': expected an object of type {name}, found {type(body).__name__}"
        return
    known = schemas[name].get("properties", {})
    for field, value in body.items():
        if field not in known:
            yield f"Invalid JSON payload received. Unknown name \"{field}\" at '{where or name}': Cannot find field."
        elif value is not None:
            yield from _value(schemas, known[field], value, f"{where}.{field}".lstrip("."))


def _value(schemas: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    kind = schema.get("type")
    if reference := schema.get("$ref"):
        yield from _object(schemas, reference, value, where)
    elif kind == "array" and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _value(schemas, schema["items"], each, f"{where}[{number}]")
    elif kind == "object" and isinstance(value, dict):
        inner = schema.get("additionalProperties") or {"type": "any"}
        for name, each in value.items():
            yield from _value(schemas, inner, each, f"{where}.{name}")
    elif not _fits(schema, value):
        yield f"Invalid value at '{where}' ({(schema.get('format') or kind or '').upper()}), {json.dumps(value)[:80]}"
    # Names of types in small letters are taken: dbt sends those of seeds as people write them.
    elif kind == "string" and (listed := _listed(schema)) and value.upper() not in listed:
        yield f"Invalid value at '{where}': \"{value}\" is none of {', '.join(sorted(listed))}"


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    kind, form = schema.get("type"), schema.get("format", "")
    if kind == "any":
        return True
    if kind == "string" and not form.endswith("int64"):
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if kind in ("integer", "string"):
        return not isinstance(value, bool) and re.fullmatch(r"-?\d+", str(value)) is not None
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return False


def _listed(schema: Mapping[str, Any]) -> set[str]:
    if "enum" in schema:
        return set(schema["enum"])
    described = _LISTED.search(schema.get("description", ""))
    return {name for pair in _VALUE.findall(described.group(1)) for name in pair if name} if described else set()
