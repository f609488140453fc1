"""`expand[]`: replaces ids by the objects they stand for, and shows what is absent unless asked for."""

from __future__ import annotations

from typing import Any

from simulators.simulation import Simulation
from simulators.stripe.errors import StripeError
from simulators.stripe.present import EMBEDDED, present
from simulators.world.resources import Resource
from simulators.world.store import JsonObject, Version

MAX_DEPTH = 4


class Expander:
    """Expands the objects of one answer at one instant."""

    def __init__(self, simulation: Simulation) -> None:
        self._store = simulation.world.store
        self._resources = simulation.resources
        self._clock = simulation.clock

    def expand(self, shape: JsonObject, paths: list[str]) -> JsonObject:
        """Returns the answer with every path expanded. Raises StripeError on paths that lead nowhere."""
        for path in paths:
            steps = path.split(".")
            if len([step for step in steps if step != "data"]) > MAX_DEPTH:
                raise StripeError(
                    400,
                    f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}.",
                    param="expand",
                )
            shape = self._walk("", shape, steps, path)
        return shape

    def related(self, shape: JsonObject, resource: Resource, name: str) -> JsonObject:
        """The list object of those that point to this one."""
        link = resource.related[name]
        rows = self._store[link.collection].snapshot(self._clock)
        found = [present(self._resources, rows.rows[index].object) for index in rows.having(link.by, shape["id"])]
        return {
            "object": "list",
            "data": found[:EMBEDDED],
            "has_more": len(found) > EMBEDDED,
            "total_count": len(found),
            "url": f"/v1/{resource.name}/{shape['id']}/{name}",
        }

    def _walk(self, field: str, value: Any, steps: list[str], path: str) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self._walk(field, part, steps, path) for part in value]
        if isinstance(value, str):
            value = self._resolve(field, value)
        if not isinstance(value, dict) or not steps or value.get("deleted"):
            return value
        step, rest = steps[0], steps[1:]
        shown = self._unhidden(value, step)
        if shown is None or not self._expandable(step, shown.get(step)):
            raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
        if step not in shown:
            return shown
        return {**shown, step: self._walk(step, shown[step], rest, path)}

    def _unhidden(self, value: JsonObject, step: str) -> JsonObject | None:
        """The object with the field that the step asks for, if it has one; None if there is no such field."""
        resource = self._resources.by_object.get(value.get("object", ""))
        if step in value:
            return value
        if resource is None:
            return None
        if step in resource.hidden:
            full = self._version(resource, value["id"])
            return {**value, step: full.object[step]} if full and step in full.object else value
        return {**value, step: self.related(value, resource, step)} if step in resource.related else None

    def _expandable(self, field: str, value: Any) -> bool:
        if isinstance(value, list):
            return all(self._expandable(field, part) for part in value)
        if isinstance(value, str):
            return self._resources.of_id(field, value) is not None
        return value is None or isinstance(value, dict)

    def _version(self, resource: Resource, id: str) -> Version | None:
        record = self._store[resource.name].records.get(id)
        return record.at(self._clock) if record else None

    def _resolve(self, field: str, id: str) -> Any:
        """The object with an id; a stub for a deleted one; the id itself if nothing of that name exists."""
        resource = self._resources.of_id(field, id)
        version = self._version(resource, id) if resource else None
        if version is None or resource is None:
            return id
        if version.gone:
            return {"id": id, "object": resource.object, "deleted": True}
        return present(self._resources, version.object)
