"""Reading records of HubSpot: lists, single records, batches, and how their properties are chosen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from include.simulators.hubspot.associations import Associations
from include.simulators.hubspot.errors import HubSpotError, NotFound, bad_request
from include.simulators.simulation import Simulation
from include.simulators.world.crm_shapes import DEFAULT_PROPERTIES, KINDS, MODIFIED, PROPERTIES
from include.simulators.world.moments import DAY, iso
from include.simulators.world.store import JsonObject, Live, Snapshot

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
MAX_BATCH = 100
#: Archived records stay in the recycle bin for so long.
RECYCLE_BIN = 90 * DAY
BASE_URL = "https://api.hubapi.com"


def kind_of(name: str) -> str:
    """The object type of a path; HubSpot takes singular, plural and number."""
    aliases = {"contact": "contacts", "0-1": "contacts", "company": "companies", "0-2": "companies"}
    aliases |= {"deal": "deals", "0-3": "deals"}
    kind = aliases.get(name, name)
    if kind not in KINDS:
        raise HubSpotError(400, f"Unable to infer object type from: {name}")
    return kind


def chosen_properties(kind: str, asked: Iterable[str] | None) -> list[str]:
    """The properties to answer with: those asked for that exist, and the three that always come along."""
    names = [name for name in asked or () if name]
    if not names:
        return list(DEFAULT_PROPERTIES[kind])
    always = ("createdate", "hs_object_id", MODIFIED[kind])
    return sorted({name for name in (*names, *always) if name in PROPERTIES[kind]})


def rendered(live_object: JsonObject, names: list[str]) -> JsonObject:
    """The record with the chosen properties only; those without a value are null."""
    properties = live_object["properties"]
    return {**live_object, "properties": {name: properties.get(name) for name in names}}


class Objects:
    def __init__(self, simulation: Simulation, associations: Associations) -> None:
        self._simulation = simulation
        self._associations = associations

    def snapshot(self, kind: str) -> Snapshot:
        return self._simulation.world.store[kind].snapshot(self._simulation.clock)

    def archived(self, kind: str) -> list[Live]:
        """The recycle bin, by ascending id."""
        oldest = self._simulation.clock - RECYCLE_BIN
        return [row for row in self.snapshot(kind).archived if row.gone_at is not None and row.gone_at > oldest]

    def list_page(self, kind: str, query: dict[str, str], url: str) -> JsonObject:
        """A page by ascending id. `after` is the id of the page's first record, though nobody promises that."""
        limit = min(MAX_LIMIT, positive(query.get("limit"), DEFAULT_LIMIT, "limit"))
        names = chosen_properties(kind, split(query.get("properties")))
        rows = self.archived(kind) if flag(query.get("archived")) else self.snapshot(kind).rows
        start = bisect_left(rows, positive(query.get("after"), 0, "after"), key=lambda row: int(row.id))
        page = rows[start : start + limit]
        results = [rendered(row.object, names) for row in page]
        for target in split(query.get("associations")):
            self._attach(kind, kind_of(target), results)
        answer: JsonObject = {"results": results}
        if start + limit < len(rows):
            after = rows[start + limit].id
            rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "after")
            link = f"{BASE_URL}{url}?{rest}{'&' if rest else ''}after={after}"
            answer["paging"] = {"next": {"after": after, "link": link}}
        return answer

    def get(self, kind: str, id: str, query: dict[str, str]) -> JsonObject:
        """One record. An id that was merged away answers with the record it became."""
        names = chosen_properties(kind, split(query.get("properties")))
        if "idProperty" in query:
            id = self.by_property(kind, query["idProperty"], id) or ""
        found = self.find(kind, id, archived=flag(query.get("archived")))
        if found is None:
            raise NotFound
        result = rendered(found, names)
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
        if kind != "contacts" or name != "email":
            raise bad_request(f"The property {name} is not a unique property of {kind}")
        index = self.snapshot(kind).derived.get("emails")
        if index is None:
            index = {}
            for row in self.snapshot(kind).rows:
                extra = (row.object["properties"]["hs_additional_emails"] or "").split(";")
                for email in (row.object["properties"]["email"], *extra):
                    if email:
                        index.setdefault(email.lower(), row.id)
            self.snapshot(kind).derived["emails"] = index
        found: str | None = index.get(value.lower())
        return found

    def batch_read(self, kind: str, body: Any, archived: bool) -> tuple[JsonObject, int]:
        """Reads up to a hundred records; unknown ones come back as an error with status 207."""
        inputs = batch_inputs(body, MAX_BATCH)
        names = chosen_properties(kind, body.get("properties"))
        results, missing, seen = [], [], set()
        for given in inputs:
            id = str(given.get("id", ""))
            wanted = self.by_property(kind, body["idProperty"], id) if body.get("idProperty") else id
            found = self.find(kind, wanted or "", archived=archived)
            if found is None:
                missing.append(id)
            elif found["id"] not in seen:
                seen.add(found["id"])
                results.append(rendered(found, names))
        answer: JsonObject = {"status": "COMPLETE", "results": results}
        if missing:
            message = f"Could not get some {kind}, they may be deleted or not exist. Check that ids are valid."
            error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
            answer |= {"numErrors": 1, "errors": [error]}
        return {**answer, **self.stamps()}, 207 if missing else 200

    def stamps(self) -> JsonObject:
        now = iso(self._simulation.clock)
        return {"startedAt": now, "completedAt": now}

    def _attach(self, kind: str, target: str, results: list[JsonObject]) -> None:
        for result in results:
            listed = self._associations.brief(kind, target, result["id"])
            if listed:
                result.setdefault("associations", {})[target] = listed


def batch_inputs(body: Any, most: int) -> list[JsonObject]:
    """The inputs of a batch. A body without any is fine: it does nothing."""
    if not isinstance(body, dict):
        raise bad_request("Invalid input JSON on line 1, column 1: expected an object")
    inputs = body.get("inputs") or []
    if not isinstance(inputs, list) or not all(isinstance(given, dict) for given in inputs):
        raise bad_request("Invalid input JSON: inputs must be a list of objects")
    if len(inputs) > most:
        raise bad_request(f"Batch size must be at most {most}, got {len(inputs)}")
    return inputs


def split(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def flag(text: str | None) -> bool:
    return (text or "").lower() == "true"


def positive(text: str | None, default: int, name: str) -> int:
    if text is None or text == "":
        return default
    if not text.isdigit():
        raise bad_request(f"Unable to parse value for query parameter: {name}")
    return int(text)
