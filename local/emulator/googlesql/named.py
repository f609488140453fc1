"""Finds the tables that a statement names, and tells by a digest whether their columns are what they were."""

from __future__ import annotations

import json
from typing import Any

from local.emulator import memory
from local.emulator.googlesql.catalog import Path
from local.emulator.googlesql.service import analyzer

ABSENT = "absent"
_digests: dict[tuple[str, ...], tuple[Any, str]] = {}


def known_tables(sql: str) -> list[Path] | None:
    """Return the tables that a script names, as `tables` does, if that is remembered."""
    found = memory.Shape("names", sql).recall()
    return None if found is None else [tuple(parts) for parts in json.loads(found)]


def tables(sql: str) -> list[Path]:
    """Return the tables that a script names, as written. Raises Refused where the syntax is wrong."""
    found = memory.by_shape("names", sql, compute=lambda: json.dumps(sorted(analyzer().tables(sql))))
    return [tuple(parts) for parts in json.loads(found)]


def reference(name: str, project: str) -> tuple[str, str, str] | None:
    """Return project, dataset and table of a name with dots; None of one that has no dataset."""
    parts = name.split(".")
    return (project, *parts)[-3:] if len(parts) > 1 else None  # type: ignore[return-value]


def digest(table: tuple[str, str, str], found: Any) -> str:
    """Return what stands for a table's columns; `found` is its entry in the emulator's catalogue, or None."""
    if found is None:
        return ABSENT
    before = _digests.get(table)
    if before is None or before[0] is not found.schema_:
        columns = found.schema_.model_dump_json(include={"fields": {"__all__": {"name", "type", "mode", "fields"}}})
        before = _digests[table] = (found.schema_, memory.key(columns))
    return before[1]
