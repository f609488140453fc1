"""The set-up of an account: owners, pipelines and properties."""

from __future__ import annotations

from typing import Any

from simulators.hubspot.errors import HubSpotError, NotFound, bad_request
from simulators.hubspot.objects import BASE_URL
from simulators.hubspot.parameters import batch_inputs, flag, positive
from simulators.hubspot.portal import Portal
from simulators.simulation import Simulation
from simulators.world.crm_properties import FIELD_TYPES, Property, property_object
from simulators.world.moments import iso
from simulators.world.store import JsonObject, Live

_PIPELINES = {"deals": "pipelines", "tickets": "ticket_pipelines"}
_MAX_NAMES = 100
_FIELDS = (*FIELD_TYPES.values(), "checkbox", "textarea", "html", "file", "radio", "calculation_equation")


class Settings:
    def __init__(self, simulation: Simulation, portal: Portal) -> None:
        self._simulation = simulation
        self._portal = portal

    # -- owners --------------------------------------------------------------------------------

    def owners(self, query: dict[str, str], url: str) -> JsonObject:
        """Owners by ascending id; the archived ones in a pass of their own."""
        rows = self._owners(flag(query.get("archived")))
        email = query.get("email")
        limit = min(500, positive(query.get("limit"), 100, "limit"))
        after = positive(query.get("after"), 0, "after")
        found = [row.object for row in rows if int(row.id) > after and email in (None, row.object["email"])]
        answer: JsonObject = {"results": found[:limit]}
        if len(found) > limit:
            cursor = found[limit - 1]["id"]
            link = f"{BASE_URL}{url}?limit={limit}&after={cursor}"
            answer["paging"] = {"next": {"after": cursor, "link": link}}
        return answer

    def owner(self, id: str, query: dict[str, str]) -> JsonObject:
        field = "userId" if query.get("idProperty") == "userId" else "id"
        for row in self._owners(flag(query.get("archived"))):
            if str(row.object.get(field)) == id:
                return row.object
        raise NotFound

    def _owners(self, archived: bool) -> list[Live]:
        snapshot = self._simulation.world.store["owners"].snapshot(self._simulation.clock)
        return snapshot.archived if archived else snapshot.rows

    # -- pipelines -----------------------------------------------------------------------------

    def pipelines(self, kind: str) -> list[JsonObject]:
        """All of them, without pages; only deals and tickets have any."""
        if kind not in _PIPELINES:
            return []
        rows = self._simulation.world.store[_PIPELINES[kind]].snapshot(self._simulation.clock).rows
        return sorted((row.object for row in rows), key=lambda shape: int(shape["displayOrder"]))

    def pipeline(self, kind: str, id: str) -> JsonObject:
        for shape in self.pipelines(kind):
            if shape["id"] == id:
                return shape
        raise NotFound

    # -- properties ----------------------------------------------------------------------------

    def properties(self, kind: str, archived: bool) -> JsonObject:
        known = self._simulation.world.properties[kind].values()
        shown = [property for property in known if property.name not in self._portal.sensitive]
        return {"results": [] if archived else [property_object(property) for property in shown]}

    def property(self, kind: str, name: str) -> JsonObject:
        property = self._simulation.world.properties[kind].get(name)
        if property is None:
            raise HubSpotError(404, f"Property {name} does not exist", "OBJECT_NOT_FOUND")
        return property_object(property)

    def read_properties(self, kind: str, body: Any) -> tuple[JsonObject, int]:
        """The definitions of the named properties; unknown ones are left out, with status 207."""
        known = self._simulation.world.properties[kind]
        names = [str(given.get("name")) for given in batch_inputs(body, _MAX_NAMES)]
        missing = [name for name in names if name not in known]
        now = iso(self._simulation.clock)
        answer: JsonObject = {
            "status": "COMPLETE",
            "results": [property_object(known[name]) for name in names if name in known],
            "startedAt": now,
            "completedAt": now,
        }
        if missing:
            message = f"Properties do not exist: {', '.join(missing)}"
            error = {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": message,
                "context": {"name": missing},
            }
            answer |= {"numErrors": 1, "errors": [error]}
        return answer, 207 if missing else 200

    def create_property(self, kind: str, body: Any) -> JsonObject:
        known = self._simulation.world.properties[kind]
        if not isinstance(body, dict):
            raise bad_request("Invalid input JSON on line 1, column 1: expected an object")
        lacking = [name for name in ("groupName", "name", "label", "type", "fieldType") if not body.get(name)]
        if lacking:
            raise bad_request(f"Some required fields were not set: [{', '.join(lacking)}]")
        name, type, field = str(body["name"]), str(body["type"]), str(body["fieldType"])
        if not name.replace("_", "").isalnum() or name != name.lower():
            raise bad_request(f"Property name {name!r} may contain lowercase letters, numbers and underscores only")
        if name in known:
            raise HubSpotError(409, f"A property named '{name}' already exists.", "OBJECT_ALREADY_EXISTS")
        if type not in FIELD_TYPES or field not in _FIELDS:
            raise bad_request(f"{field} is not a valid field type of {type}")
        unique = body.get("hasUniqueValue") is True
        if unique and sum(property.unique for property in known.values()) >= 10:
            raise bad_request("The maximum number of unique properties is 10")
        options = tuple(str(option.get("value")) for option in body.get("options") or [])
        property = Property(
            name,
            type,
            str(body["label"]),
            str(body["groupName"]),
            field,
            options,
            unique=unique,
            custom=True,
            description=str(body.get("description") or ""),
            created=self._simulation.clock,
        )
        known[name] = property
        return property_object(property)

    def delete_property(self, kind: str, name: str) -> None:
        """Only custom properties can go."""
        property = self._simulation.world.properties[kind].get(name)
        if property is None:
            raise NotFound
        if not property.custom:
            raise bad_request(f"Property {name} is defined by HubSpot and cannot be archived")
        del self._simulation.world.properties[kind][name]
