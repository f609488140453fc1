"""Associations: which records belong together, seen from either side."""

from __future__ import annotations

from typing import Any

from include.simulators.hubspot.errors import bad_request
from include.simulators.simulation import Simulation
from include.simulators.world.crm import LINKS
from include.simulators.world.moments import iso
from include.simulators.world.store import JsonObject

MAX_BATCH = 1_000
#: The most associations that a list shows per record.
BRIEF = 100
_SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}


class Associations:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def of(self, source: str, target: str, id: str) -> list[JsonObject]:
        """What `id` is associated with, by ascending id: `{toObjectId, associationTypes}`."""
        link, backwards = LINKS.get((source, target)), False
        if link is None:
            link, backwards = LINKS.get((target, source)), True
        if link is None:
            return []
        name, source_field, target_field, _, reverse_id = link
        here, there = (target_field, source_field) if backwards else (source_field, target_field)
        snapshot = self._simulation.world.store[name].snapshot(self._simulation.clock)
        index = snapshot.derived.get(here)
        if index is None:
            index = snapshot.derived[here] = {}
            for row in snapshot.rows:
                index.setdefault(row.object[here], []).append((int(row.object[there]), row.object["types"]))
            for pairs in index.values():
                pairs.sort(key=lambda pair: pair[0])
        found = []
        for other, types in index.get(id, ()):
            seen = [{**types[0], "typeId": reverse_id}, *types[1:]] if backwards else types
            found.append({"toObjectId": other, "associationTypes": seen})
        return found

    def brief(self, source: str, target: str, id: str) -> JsonObject | None:
        """The short form inside lists, cut after a hundred; None without associations."""
        found = self.of(source, target, id)
        if not found:
            return None
        type = f"{_SINGULAR[source]}_to_{_SINGULAR[target]}"
        answer: JsonObject = {"results": [{"id": str(other["toObjectId"]), "type": type} for other in found[:BRIEF]]}
        if len(found) > BRIEF:
            answer["paging"] = {"next": {"after": str(found[BRIEF]["toObjectId"])}}
        return answer

    def batch_read(self, source: str, target: str, inputs: list[JsonObject]) -> tuple[JsonObject, int]:
        """The associations of many records, paged per record. Records without any are errors, with status 207."""
        size = self._simulation.association_page
        results, errors = [], []
        for given in inputs:
            id = str(given.get("id", ""))
            found = self.of(source, target, id)
            after = given.get("after")
            if after is not None:
                found = [other for other in found if other["toObjectId"] >= self._cursor(after)]
            if not found:
                errors.append(self._none_found(source, target, id))
                continue
            result: JsonObject = {"from": {"id": id}, "to": found[:size]}
            if len(found) > size:
                cursor = str(found[size]["toObjectId"])
                result["paging"] = {"next": {"after": cursor, "link": f"?after={cursor}"}}
            results.append(result)
        now = iso(self._simulation.clock)
        answer: JsonObject = {"status": "COMPLETE", "results": results}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return {**answer, "startedAt": now, "completedAt": now}, 207 if errors else 200

    def _cursor(self, after: Any) -> int:
        if not str(after).isdigit():
            raise bad_request(f"Invalid paging cursor: {after}")
        return int(after)

    def _none_found(self, source: str, target: str, id: str) -> JsonObject:
        one, other = _SINGULAR[source], _SINGULAR[target]
        return {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {other} is associated with {one} {id}.",
            "context": {"fromObjectId": [id], "fromObjectType": [one], "toObjectType": [other]},
        }
