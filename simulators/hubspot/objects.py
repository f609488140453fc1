"""Reading records of HubSpot: lists, single records, batches, and how their properties are chosen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from simulators.hubspot.associations import Associations
from simulators.hubspot.errors import NotFound, bad_request, missing_scopes
from simulators.hubspot.history import history
from simulators.hubspot.parameters import batch_inputs, flag, kind_of, names_in, positive, split
from simulators.hubspot.portal import Portal
from simulators.simulation import Simulation
from simulators.world.crm_properties import Property
from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import DAY, iso
from simulators.world.store import JsonObject, Live, Snapshot

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
MAX_BATCH = 100
#: The most records at once, in lists and batches, when the history of properties is asked for.
MAX_WITH_HISTORY = 50
#: Archived records stay in the recycle bin for so long.
RECYCLE_BIN = 90 * DAY
BASE_URL = "https://api.hubapi.com"


def chosen_properties(kind: str, known: dict[str, Property], asked: Iterable[str]) -> list[str]:
    """The properties to answer with: those asked for that exist, and the three that always come along."""
    names = [name for name in asked if name]
    type = OBJECT_TYPES[kind]
    if not names:
        return list(type.default)
    return sorted({name for name in (*names, type.created, "hs_object_id", type.modified) if name in known})


def rendered(live_object: JsonObject, names: list[str]) -> JsonObject:
    """The record with the chosen properties only; those without a value are null."""
    properties = live_object["properties"]
    return {**live_object, "properties": {name: properties.get(name) for name in names}}


class Objects:
    def __init__(self, simulation: Simulation, associations: Associations, portal: Portal) -> None:
        self._simulation = simulation
        self._portal = portal
        self._associations = associations

    def properties(self, kind: str) -> dict[str, Property]:
        return self._simulation.world.properties[kind]

    def snapshot(self, kind: str) -> Snapshot:
        return self._simulation.world.store[kind].snapshot(self._simulation.clock)

    def archived(self, kind: str) -> list[Live]:
        """The recycle bin, by ascending id."""
        oldest = self._simulation.clock - RECYCLE_BIN
        return [row for row in self.snapshot(kind).archived if row.gone_at is not None and row.gone_at > oldest]

    def list_page(self, kind: str, query: dict[str, str], url: str) -> JsonObject:
        """A page by ascending id. `after` is the id of the page's first record, though nobody promises that."""
        limit = min(MAX_LIMIT, positive(query.get("limit"), DEFAULT_LIMIT, "limit"))
        past = self._names(kind, split(query.get("propertiesWithHistory")))
        if past and limit > MAX_WITH_HISTORY:
            raise bad_request(
                f"Requested limit of {limit} exceeds maximum of {MAX_WITH_HISTORY} when requesting property history"
            )
        names = self._chosen(kind, split(query.get("properties")))
        rows = self.archived(kind) if flag(query.get("archived")) else self.snapshot(kind).rows
        start = bisect_left(rows, positive(query.get("after"), 0, "after"), key=lambda row: int(row.id))
        page = rows[start : start + limit]
        results = [self._shown(kind, row.id, row.object, names, past) for row in page]
        for target in split(query.get("associations")):
            self._attach(kind, kind_of(target), results)
        answer: JsonObject = {"results": results}
        if start + limit < len(rows):
            after = rows[start + limit].id
            rest = {key: value for key, value in query.items() if key != "after"}
            link = f"{BASE_URL}{url}?{urlencode({**rest, 'after': after}, safe=',')}"
            answer["paging"] = {"next": {"after": after, "link": link}}
        return answer

    def get(self, kind: str, id: str, query: dict[str, str]) -> JsonObject:
        """One record. An id that was merged away answers with the record it became."""
        names = self._chosen(kind, split(query.get("properties")))
        if "idProperty" in query:
            id = self.by_property(kind, query["idProperty"], id) or ""
        found = self.find(kind, id, archived=flag(query.get("archived")))
        if found is None:
            raise NotFound
        past = self._names(kind, split(query.get("propertiesWithHistory")))
        result = self._shown(kind, found["id"], found, names, past)
        for target in split(query.get("associations")):
            self._attach(kind, kind_of(target), [result])
        return result

    def find(self, kind: str, id: str, *, archived: bool) -> JsonObject | None:
        records, clock = self._simulation.world.store[kind].records, self._simulation.clock
        record = records.get(id)
        version = record.at(clock) if record else None
        while version is not None and version.gone == "merged":
            version = records[version.into or ""].at(clock)
        if version is None or version.gone in ("purged", "deleted"):
            return None
        if (version.gone == "archived") != archived:
            return None
        if archived and version.at <= clock - RECYCLE_BIN:
            return None
        return version.object

    def by_property(self, kind: str, name: str, value: str) -> str | None:
        """The id of the record with a unique property; contacts can be found by e-mail, also an additional one."""
        if name == "hs_object_id":
            return value
        property = self.properties(kind).get(name)
        if (kind, name) != ("contacts", "email") and (property is None or not property.unique):
            raise bad_request(f"The property {name} is not a unique property of {kind}")
        derived = self.snapshot(kind).derived
        index = derived.get(f"unique {name}")
        if index is None:
            index = derived[f"unique {name}"] = {}
            for row in self.snapshot(kind).rows:
                for text in _unique_values(name, row.object["properties"]):
                    index.setdefault(text.lower(), row.id)
        found: str | None = index.get(value.lower())
        return found

    def batch_read(self, kind: str, body: Any, archived: bool) -> tuple[JsonObject, int]:
        """Reads up to a hundred records; unknown ones come back as an error with status 207."""
        inputs = batch_inputs(body, MAX_BATCH)
        past = self._names(kind, names_in(body, "propertiesWithHistory"))
        if past and len(inputs) > MAX_WITH_HISTORY:
            raise bad_request(f"Batch size must be at most {MAX_WITH_HISTORY} with history, got {len(inputs)}")
        names = self._chosen(kind, names_in(body, "properties"))
        results, missing, seen = [], [], set()
        for given in inputs:
            id = str(given.get("id", ""))
            wanted = self.by_property(kind, body["idProperty"], id) if body.get("idProperty") else id
            found = self.find(kind, wanted or "", archived=archived)
            if found is None:
                missing.append(id)
            elif found["id"] not in seen:
                seen.add(found["id"])
                results.append(self._shown(kind, found["id"], found, names, past))
        answer: JsonObject = {"status": "COMPLETE", "results": results}
        if missing:
            answer |= {"numErrors": 1, "errors": [_odd_shape(self._portal, not_found(kind, missing))]}
        return {**answer, **self.stamps()}, 207 if missing else 200

    def stamps(self) -> JsonObject:
        now = iso(self._simulation.clock)
        return {"startedAt": now, "completedAt": now}

    def _names(self, kind: str, asked: Sequence[str]) -> list[str]:
        return [name for name in dict.fromkeys(asked) if name in self.properties(kind)]

    def _chosen(self, kind: str, asked: Sequence[str]) -> list[str]:
        """
        Raises:
            HubSpotError: one of them is kept from this app.
        """
        if self._portal.sensitive & set(asked):
            raise missing_scopes([f"crm.objects.{kind}.sensitive.read.v2"])
        return chosen_properties(kind, self.properties(kind), asked)

    def _shown(self, kind: str, id: str, found: JsonObject, names: list[str], past: list[str]) -> JsonObject:
        if self._portal.sparse_archive and found["archived"]:
            names, past = [], []
        result = rendered(found, sorted({*names, *past}) if past else names)
        if past:
            record = self._simulation.world.store[kind].records[id]
            result["propertiesWithHistory"] = history(record, past, self._simulation.clock)
        return result

    def _attach(self, kind: str, target: str, results: list[JsonObject]) -> None:
        for result in results:
            listed = self._associations.brief(kind, target, result["id"])
            if listed:
                result.setdefault("associations", {})[target] = listed


def not_found(kind: str, ids: list[str]) -> JsonObject:
    """The error of a batch about records that aren't there."""
    message = f"Could not get some {kind}, they may be deleted or not exist. Check that ids are valid."
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": ids}}


def _odd_shape(portal: Portal, error: JsonObject) -> JsonObject:
    """An error of a batch, in one of the shapes that are seen beside the documented one, as often as was ordered."""
    if not portal.odd_errors:
        return error
    portal.odd_errors -= 1
    odd: list[JsonObject] = [
        {"subCategory": {}, "context": {"id": 4711}},
        {"context": None},
        {"subCategory": None, "context": {"id": "2"}},
        {"links": [], "context": [], "message": None},
    ]
    return error | odd[portal.odd_errors % len(odd)]


def _unique_values(name: str, properties: JsonObject) -> list[str]:
    extra = (properties.get("hs_additional_emails") or "").split(";") if name == "email" else []
    return [text for text in (properties.get(name), *extra) if text]
