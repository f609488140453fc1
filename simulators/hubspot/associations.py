"""Associations: which records belong together, seen from either side."""

from __future__ import annotations

from typing import Any

from simulators.hubspot.errors import NotFound, bad_request
from simulators.hubspot.parameters import singular
from simulators.hubspot.portal import Portal
from simulators.simulation import Simulation
from simulators.world.crm_links import Link, link_between
from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import iso
from simulators.world.store import JsonObject, Live

MAX_READ = 1_000
MAX_CREATE = 2_000
MAX_ARCHIVE = 100
#: The most associations that a list shows per record.
BRIEF = 100
#: The most of them on a page about one record.
PAGE = 500


class Associations:
    def __init__(self, simulation: Simulation, portal: Portal) -> None:
        self._simulation = simulation
        self._portal = portal

    def of(self, source: str, target: str, id: str) -> list[JsonObject]:
        """Return the associations of `id`, by ascending id: `{toObjectId, associationTypes}`."""
        found = link_between(source, target)
        if found is None:
            return []
        link, backwards = found
        snapshot = self._simulation.world.store[link.name].snapshot(self._simulation.clock)
        if "sources" not in snapshot.derived:
            snapshot.derived |= _ends(snapshot.rows)
        answer = []
        for other, row in snapshot.derived["targets" if backwards else "sources"].get(id, ()):
            types = row.object["types"]
            answer.append({"toObjectId": other, "associationTypes": link.reversed(types) if backwards else types})
        return answer

    def brief(self, source: str, target: str, id: str) -> JsonObject | None:
        """The short form inside lists, cut after a hundred; None without associations."""
        found = self.of(source, target, id)
        if not found:
            return None
        type = f"{singular(source)}_to_{singular(target)}"
        results = []
        for other in found[:BRIEF]:
            for each in other["associationTypes"]:
                suffix = "_unlabeled" if target == "companies" and each["label"] is None else ""
                if each["category"] == "HUBSPOT_DEFINED":
                    results.append({"id": str(other["toObjectId"]), "type": type + suffix})
        answer: JsonObject = {"results": results}
        if len(found) > BRIEF:
            answer["paging"] = {"next": {"after": str(found[BRIEF]["toObjectId"])}}
        return answer

    def page(self, source: str, target: str, id: str, after: int, limit: int) -> JsonObject:
        """The associations of one record."""
        record = self._simulation.world.store[source].records.get(id)
        if record is None or record.at(self._simulation.clock) is None:
            raise NotFound
        found = [other for other in self.of(source, target, id) if other["toObjectId"] >= after]
        answer: JsonObject = {"results": found[:limit]}
        if len(found) > limit:
            answer["paging"] = _next(found[limit])
        return answer

    def batch_read(self, source: str, target: str, inputs: list[JsonObject]) -> tuple[JsonObject, int]:
        """The associations of many records, paged per record. Records without any are errors, with status 207.

        One id that is none makes HubSpot refuse the whole batch.
        """
        size = self._simulation.association_page
        for given in inputs:
            id = str(given.get("id", ""))
            if not id.isdigit() or self._portal.bad_ids.get(id) == "batch":
                raise bad_request(f"Invalid input: {id!r} is not a valid object id")
        results, errors = [], []
        for given in inputs:
            id = str(given["id"])
            if id in self._portal.bad_ids:
                errors.append(self._unreadable(source, id))
                continue
            found = self.of(source, target, id)
            if given.get("after") is not None:
                found = [other for other in found if other["toObjectId"] >= self._cursor(given["after"])]
            if not found:
                errors.append(self._none_found(source, target, id))
                continue
            result: JsonObject = {"from": {"id": id}, "to": found[:size]}
            if len(found) > size or id in self._portal.endless_ids:
                result["paging"] = _next(found[-1] if id in self._portal.endless_ids else found[size])
            results.append(result)
        return self._batch(results, errors)

    def batch_create(
        self, source: str, target: str, inputs: list[JsonObject], *, default: bool = False
    ) -> tuple[JsonObject, int]:
        """Associates pairs `{from: {id}, to: {id}, types: [{associationTypeId}]}`, by `default` with the plain type.

        A record that isn't there is an error of its row.
        """
        results, errors = [], []
        link, backwards = self._link(source, target)
        for given in inputs:
            one, other = _end(given, "from"), _end(given, "to")
            if not (self._there(source, one) and self._there(target, other)):
                errors.append(self._unreadable(source, one))
                continue
            asked = [] if default else given.get("types") or []
            try:
                types = link.chosen([int(type["associationTypeId"]) for type in asked], backwards=backwards)
            except (KeyError, TypeError, ValueError) as error:
                raise bad_request(f"Invalid association types: {error}") from None
            pair = (other, one) if backwards else (one, other)
            self._simulation.crm.link(link.name, *pair, self._simulation.clock, types=types)
            seen = link.reversed(types) if backwards else types
            results.append(self._default(one, other, seen) if default else self._pair(source, one, target, other, seen))
        answer, status = self._batch(results, errors)
        return answer, 207 if status == 207 else 200 if default else 201

    def _default(self, one: str, other: str, types: list[JsonObject]) -> JsonObject:
        spec = {"associationCategory": types[0]["category"], "associationTypeId": types[0]["typeId"]}
        return {"from": {"id": one}, "to": {"id": other}, "associationSpec": spec}

    def _pair(self, source: str, one: str, target: str, other: str, types: list[JsonObject]) -> JsonObject:
        return {
            "fromObjectTypeId": OBJECT_TYPES[source].id,
            "fromObjectId": one,
            "toObjectTypeId": OBJECT_TYPES[target].id,
            "toObjectId": other,
            "labels": [type["label"] for type in types if type["label"]],
        }

    def batch_archive(self, source: str, target: str, inputs: list[JsonObject]) -> None:
        """Ends the associations `{from: {id}, to: [{id}]}`; those that aren't there are ignored."""
        link, backwards = self._link(source, target)
        for given in inputs:
            one = _end(given, "from")
            for end in given.get("to") or []:
                pair = (str(end.get("id")), one) if backwards else (one, str(end.get("id")))
                try:
                    self._simulation.crm.unlink(link.name, *pair, self._simulation.clock)
                except LookupError:
                    continue

    def _link(self, source: str, target: str) -> tuple[Link, bool]:
        found = link_between(source, target)
        if found is None:
            raise bad_request(f"{source} cannot be associated with {target}")
        return found

    def _there(self, kind: str, id: str) -> bool:
        record = self._simulation.world.store[kind].records.get(id)
        version = record.at(self._simulation.clock) if record else None
        return version is not None and version.gone is None

    def _batch(self, results: list[JsonObject], errors: list[JsonObject]) -> tuple[JsonObject, int]:
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
        one, other = singular(source), singular(target)
        return {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {other} is associated with {one} {id}.",
            "context": {"fromObjectId": [id], "fromObjectType": [one], "toObjectType": [other]},
        }

    def _unreadable(self, source: str, id: str) -> JsonObject:
        return {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "subCategory": "crm.associations.INVALID_OBJECT_ID",
            "message": f"{singular(source)} {id} cannot be read.",
            "context": {"fromObjectId": [id], "fromObjectType": [singular(source)]},
        }


def _ends(rows: list[Live]) -> dict[str, dict[str, list[tuple[int, Live]]]]:
    """The associations of each record: by `sources` those to targets, by `targets` those to sources; ascending."""
    found: dict[str, dict[str, list[tuple[int, Live]]]] = {"sources": {}, "targets": {}}
    for row in rows:
        source, _, target = row.id.partition(":")
        found["sources"].setdefault(source, []).append((int(target), row))
        found["targets"].setdefault(target, []).append((int(source), row))
    for side in found.values():
        for pairs in side.values():
            pairs.sort(key=lambda pair: pair[0])
    return found


def _next(first: JsonObject) -> JsonObject:
    cursor = str(first["toObjectId"])
    return {"next": {"after": cursor, "link": f"?after={cursor}"}}


def _end(given: JsonObject, name: str) -> str:
    end = given.get(name)
    if not isinstance(end, dict) or "id" not in end:
        raise bad_request(f"Invalid input JSON: every input needs {name}.id")
    return str(end["id"])
