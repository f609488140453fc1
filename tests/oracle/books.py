"""The simulators' books: every object that ever existed, as it was at a given moment."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One object at one moment. `gone` is deleted, archived, merged or purged, or None while it is there."""

    id: str
    created: datetime
    updated: datetime
    gone: str | None
    object: Json
    #: Of some HubSpot collections: the values that the record's stage has had, `{value, timestamp}`.
    stages: tuple[Json, ...] = ()


class Books:
    """Reads books through `fetch(collection, moment) -> NDJSON lines`, each of them once."""

    def __init__(self, fetch: Callable[[str, datetime], list[Json]]) -> None:
        self._fetch = fetch
        self._pages: dict[tuple[str, datetime], dict[str, Entry]] = {}
        self._catalogues: dict[tuple[str, datetime], dict[str, tuple[str, str]]] = {}

    @classmethod
    def of(cls, url: str) -> Books:
        """The books that the simulator at `url` (scheme, host, port) keeps."""

        def fetch(collection: str, moment: datetime) -> list[Json]:
            query = urllib.parse.urlencode({"at": moment.isoformat()})
            with urllib.request.urlopen(f"{url}/_sim/books/{collection}?{query}", timeout=60) as answer:
                return [json.loads(line) for line in answer.read().splitlines() if line]

        return cls(fetch)

    def at(self, collection: str, moment: datetime) -> dict[str, Entry]:
        """Every object created up to `moment` by id, in the state of that moment, those that are gone included."""
        key = (collection, moment)
        if key not in self._pages:
            self._pages[key] = {line["id"]: _entry(line) for line in self._fetch(collection, moment)}
        return self._pages[key]

    def catalogue(self, kind: str, moment: datetime) -> dict[str, tuple[str, str]]:
        """HubSpot's properties of an object type: name -> type and widget."""
        key = (kind, moment)
        if key not in self._catalogues:
            definitions = (entry.object for entry in self.at("properties", moment).values())
            mine = {o["name"]: (o["type"], o["fieldType"]) for o in definitions if o["objectType"] == kind}
            self._catalogues[key] = mine
        return self._catalogues[key]


def _entry(line: Json) -> Entry:
    return Entry(
        id=line["id"],
        created=datetime.fromisoformat(line["created"]),
        updated=datetime.fromisoformat(line["updated"]),
        gone=(line.get("gone") or "deleted") if line["deleted_at"] else None,
        object=line["object"],
        stages=tuple(line.get("stages", ())),
    )
