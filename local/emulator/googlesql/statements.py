"""Remembers single statements that passed the analyzer, since the scripts of two loads share most of theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local.emulator import memory, templates
from local.emulator.googlesql.resolved import Made


@dataclass(frozen=True)
class Effect:
    """The table that a statement writes and what it makes, as far as the statements after it depend on it."""

    written: str | None
    made: Made | None


class Passed:
    """The memory of one statement, whatever its literals and the ids in its names are."""

    def __init__(self, text: str, told: list[Any]) -> None:
        """`told`: what the analysis depends on beside the text."""
        template, self._values = templates.lifted(text)
        self._back = {value: placeholder for placeholder, value in self._values.items()}
        self._shape = memory.Shape("statement", template, templates.filled(json.dumps(told), self._back))

    def recall(self) -> Effect | None:
        """Return the effect of a statement like this one that has passed, or None."""
        found = self._shape.recall()
        if found is None:
            return None
        effect = json.loads(templates.filled(found, self._values))
        return Effect(effect["written"], _made(effect["made"]) if effect["made"] else None)

    def learn(self, effect: Effect) -> None:
        """Remember that the statement has passed."""
        made = None
        if effect.made is not None:
            columns = effect.made.columns
            if columns is not None:
                columns = [(name, kind.SerializeToString().hex(), {}) for name, kind, _ in columns]
            made = {"name": effect.made.name, "columns": columns, "added": effect.made.added}
        self._shape.learn(templates.filled(json.dumps({"written": effect.written, "made": made}), self._back))


def _made(found: dict[str, Any]) -> Made:
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    columns = found["columns"]
    if columns is not None:
        columns = [(name, type_pb2.TypeProto.FromString(bytes.fromhex(kind)), {}) for name, kind, _ in columns]
    return Made(found["name"], columns, added=found["added"])
