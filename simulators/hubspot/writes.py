"""Writing records: one at a time and in batches, with HubSpot's rules about what one bad row does to the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

from simulators.hubspot.errors import HubSpotError, NotFound, bad_request
from simulators.hubspot.objects import MAX_BATCH, Objects, not_found
from simulators.hubspot.parameters import batch_inputs, singular
from simulators.hubspot.portal import Portal
from simulators.hubspot.values import invalid, problems, written
from simulators.simulation import Simulation
from simulators.world.crm_edits import CrmEdits
from simulators.world.crm_properties import Property
from simulators.world.crm_types import Kind
from simulators.world.store import JsonObject

#: How many records may be merged into one.
MAX_MERGED = 250


class Writes:
    def __init__(self, simulation: Simulation, portal: Portal, objects: Objects) -> None:
        self._simulation = simulation
        self._portal = portal
        self._objects = objects

    # -- one record ----------------------------------------------------------------------------

    def create(self, kind: Kind, body: Any) -> JsonObject:
        given = self._checked(kind, body, None)
        return self._crm.create(kind, written(self._known(kind), {}, given), self._simulation.clock)

    def update(self, kind: Kind, id: str, body: Any, id_property: str | None = None) -> JsonObject:
        found = self._objects.by_property(kind, id_property, id) if id_property else id
        record = self._objects.find(kind, found or "", archived=False)
        if record is None:
            raise NotFound
        given = self._checked(kind, body, record["id"])
        values = written(self._known(kind), record["properties"], given)
        return self._crm.update(kind, record["id"], values, self._simulation.clock)

    def archive(self, kind: Kind, id: str) -> None:
        """An id that isn't there is fine."""
        record = self._objects.find(kind, id, archived=False)
        if record is not None:
            self._crm.archive(kind, record["id"], self._simulation.clock)

    def merge(self, kind: Kind, body: Any) -> JsonObject:
        ids = [str(body.get(name, "")) for name in ("primaryObjectId", "objectIdToMerge")] if body else ["", ""]
        both = [self._objects.find(kind, id, archived=False) for id in ids]
        if both[0] is None or both[1] is None:
            raise HubSpotError(404, f"Could not find {kind} to merge: {', '.join(ids)}", "OBJECT_NOT_FOUND")
        one, other = both[0], both[1]
        if one["id"] == other["id"]:
            raise bad_request("Cannot merge an object with itself")
        merged = (one["properties"].get("hs_merged_object_ids") or "").split(";")
        if len(merged) >= MAX_MERGED:
            raise bad_request(f"{singular(kind)} {one['id']} has been merged {MAX_MERGED} times already")
        keep = self._portal.merge_keeps_id
        return self._crm.merge(kind, one["id"], other["id"], self._simulation.clock, keep_id=keep)

    def purge(self, kind: Kind, body: Any) -> None:
        id, by = str((body or {}).get("objectId", "")), (body or {}).get("idProperty")
        found = self._objects.by_property(kind, by, id) if by else id
        try:
            self._crm.purge(kind, found or "", self._simulation.clock)
        except LookupError:
            raise NotFound from None

    # -- batches -------------------------------------------------------------------------------

    def batch(self, kind: Kind, what: str, body: Any) -> tuple[JsonObject | None, int]:
        """create, update, upsert or archive. Without a trace id in every row, one bad row fails all of them."""
        inputs = batch_inputs(body, MAX_BATCH)
        if what == "archive":
            for given in inputs:
                self.archive(kind, str(given.get("id", "")))
            return None, 204
        traces = [given.get("objectWriteTraceId") for given in inputs]
        traced = bool(traces) and None not in traces and len(set(traces)) == len(traces)
        self._refuse_duplicates(kind, what, inputs)
        errors: list[JsonObject] = []
        rows: list[tuple[JsonObject, str | None]] = []
        for given in inputs:
            try:
                rows.append((given, self._prepared(kind, what, given)))
            except NotFound:
                errors.append(self._missing(kind, given, traced))
            except HubSpotError as error:
                if not traced:
                    raise
                errors.append(_row_error(error, given["objectWriteTraceId"]))
        # All rows were looked at first: what is refused as a whole has written nothing.
        results = [self._write(kind, what, given, id) for given, id in rows]
        answer: JsonObject = {"status": "COMPLETE", "results": results}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return {**answer, **self._objects.stamps()}, 207 if errors else 201 if what == "create" else 200

    def _prepared(self, kind: Kind, what: str, given: JsonObject) -> str | None:
        """The id of the record that a row is about, None for a new one. Raises what is wrong with the row."""
        id, by = str(given.get("id", "")), given.get("idProperty")
        if what == "create":
            self._checked(kind, given, None)
            return None
        if what == "upsert":
            if not by or not id:
                raise bad_request("Every input of an upsert needs an id and an idProperty")
            if by == "email" and kind == "contacts" and given.get("properties", {}).get("email", id) != id:
                raise bad_request("Partial upserts are not supported when using email as idProperty")
        found = self._objects.by_property(kind, by, id) if by else id
        record = self._objects.find(kind, found or "", archived=False)
        if record is None and what == "update":
            raise NotFound
        self._checked(kind, given, record["id"] if record else None)
        return record["id"] if record else None

    def _write(self, kind: Kind, what: str, given: JsonObject, id: str | None) -> JsonObject:
        properties = dict(given.get("properties") or {})
        if what == "upsert" and id is None:
            properties[given["idProperty"]] = given["id"]
        if id is None:
            values = written(self._known(kind), {}, properties)
            record = self._crm.create(kind, values, self._simulation.clock)
        else:
            before = self._objects.find(kind, id, archived=False) or {"properties": {}}
            values = written(self._known(kind), before["properties"], properties)
            record = self._crm.update(kind, id, values, self._simulation.clock)
        shown = {name: record["properties"][name] for name in sorted({*values, "hs_object_id"})}
        result = {**record, "properties": {name: value for name, value in shown.items() if value is not None}}
        if "objectWriteTraceId" in given:
            result["objectWriteTraceId"] = given["objectWriteTraceId"]
        return {**result, "new": id is None} if what == "upsert" else result

    def _refuse_duplicates(self, kind: Kind, what: str, inputs: list[JsonObject]) -> None:
        if what == "create":
            keys = [str((given.get("properties") or {}).get("email") or "").lower() for given in inputs]
        else:
            keys = [f"{given.get('idProperty')}={given.get('id')}".lower() for given in inputs]
        double = [key for key, count in Counter(filter(None, keys)).items() if count > 1]
        if double:
            raise bad_request(f"Duplicate IDs found in batch input: {double}")

    def _checked(self, kind: Kind, body: Any, id: str | None) -> JsonObject:
        """The properties of a row. Raises 400 about the values, or 409 if another record has one that is unique."""
        given = body.get("properties") if isinstance(body, dict) else None
        if not isinstance(given, dict):
            raise bad_request("Invalid input JSON: properties must be an object")
        wrong = problems(self._known(kind), given)
        if wrong:
            raise invalid(wrong)
        for name, value in given.items():
            property = self._known(kind)[name]
            if value and (property.unique or (kind, name) == ("contacts", "email")):
                other = self._objects.by_property(kind, name, str(value))
                if other is not None and other != id:
                    label = singular(kind).capitalize()
                    raise HubSpotError(409, f"{label} already exists. Existing ID: {other}", "CONFLICT")
        return given

    def _missing(self, kind: Kind, given: JsonObject, traced: bool) -> JsonObject:
        error = not_found(kind, [str(given.get("id"))])
        if traced:
            error["context"] |= {"objectWriteTraceId": [given["objectWriteTraceId"]]}
        return error

    def _known(self, kind: Kind) -> dict[str, Property]:
        return self._objects.properties(kind)

    @property
    def _crm(self) -> CrmEdits:
        return self._simulation.crm


def _row_error(error: HubSpotError, trace: Any) -> JsonObject:
    context = {"objectWriteTraceId": [trace]}
    return {"status": "error", "category": error.category, "message": error.message, "context": context}
