"""Reads the examples of all files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.examples.rows import Tables, raw_rows

_KEYS = {"example", "says", "source", "rows", "expect"}


@dataclass(frozen=True)
class Example:
    """One account, and what the warehouse must say of it."""

    name: str
    says: str
    source: str
    rows: Tables
    history: Tables
    expect: Mapping[str, Any]


def examples() -> dict[str, Example]:
    """Every example by name."""
    found: dict[str, Example] = {}
    for path in sorted(Path(__file__).parent.glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            where = f"{path.name}: {entry.get('example')}"
            assert entry.keys() == _KEYS, f"{where}: has {sorted(entry)}, expected {sorted(_KEYS)}"
            assert entry["example"] not in found, f"{where}: another example has that name"
            unknown = entry["expect"].keys() - {"mrr", "movements", "rows", "metrics", "told"}
            assert entry["expect"] and not unknown, f"{where}: expects nothing, or what nobody checks: {unknown}"
            rows, history = raw_rows(entry["example"], entry["rows"])
            found[entry["example"]] = Example(
                entry["example"], entry["says"], entry["source"], rows, history, entry["expect"]
            )
    return found
