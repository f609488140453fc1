"""Objects and lists of any collection in the table, at the simulation's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulators.simulation import Simulation
from simulators.stripe.errors import invalid, missing_object
from simulators.stripe.expand import Expander
from simulators.stripe.filters import PAGING, index_for, read_params, tests_for
from simulators.stripe.lists import Params, Row, page, parse_params
from simulators.stripe.present import present
from simulators.world.moments import SECOND
from simulators.world.resources import Resource
from simulators.world.store import JsonObject, Live, Snapshot

Pairs = Iterable[tuple[str, str]]


class Reader:
    """Answers GET requests; every method raises StripeError on what cannot be answered."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    # -- single objects ------------------------------------------------------------------------

    def find(self, resource: Resource, id: str, param: str = "id") -> JsonObject:
        """The full object; the stub of a deleted one where there are stubs."""
        record = self._simulation.world.store[resource.name].records.get(id)
        version = record.at(self._simulation.clock) if record else None
        if version is None or (version.gone and not resource.stub):
            raise missing_object(resource.object, id, param)
        if version.gone:
            return {"id": id, "object": resource.object, "deleted": True}
        return version.object

    def get(self, resource: Resource, id: str, pairs: Pairs) -> JsonObject:
        params = parse_params(pairs, ())
        return self.expanded(present(self._simulation.resources, self.find(resource, id)), params)

    def get_nested(self, path: str, id: str, pairs: Pairs) -> JsonObject:
        """One object of an inner list that has a path of its own."""
        params = parse_params(pairs, ())
        resource, field = self._simulation.resources.by_path[path]
        snapshot = self._snapshot(resource)
        for index in snapshot.having(f"{field}.data.id", id):
            inner = snapshot.rows[index].object[field]["data"]
            return self.expanded(next(shape for shape in inner if shape["id"] == id), params)
        raise missing_object(resource.nested[field].object, id)

    def expanded(self, shape: JsonObject, params: Params) -> JsonObject:
        paths = params.lists.get("expand", [])
        return Expander(self._simulation).expand(shape, paths) if paths else shape

    # -- lists ---------------------------------------------------------------------------------

    def list(self, resource: Resource, pairs: Pairs) -> JsonObject:
        params = read_params(pairs, resource)
        snapshot = self._snapshot(resource)
        derived = snapshot.derived
        if "rows" not in derived:
            derived["rows"] = [Row(row.id, row.created // SECOND, _object_of(row)) for row in snapshot.rows]
            derived["created"] = [-row.created for row in derived["rows"]]
        indexed = index_for(resource, params)
        found = page(
            derived["rows"],
            snapshot.position,
            params,
            f"/v1/{resource.name}",
            resource.object,
            tests_for(resource, params),
            by_created=derived["created"],
            among=snapshot.having(*indexed) if indexed else None,
        )
        found["data"] = [present(self._simulation.resources, shape) for shape in found["data"]]
        return self.expanded(found, params)

    def list_by_path(self, path: str, pairs: Pairs) -> JsonObject:
        """An inner list that has a path of its own and names its parent in a parameter."""
        resource, field = self._simulation.resources.by_path[path]
        by = resource.nested[field].by or resource.object
        params = parse_params(pairs, (*PAGING, by))
        if by not in params.single:
            raise invalid(by, f"Missing required param: {by}.", "parameter_missing")
        return self._nested(resource, params.single[by], by, field, params)

    def list_inside(self, resource: Resource, id: str, field: str, pairs: Pairs) -> JsonObject:
        params = parse_params(pairs, PAGING)
        if field in resource.related:
            self.find(resource, id, resource.object)
            return self._related(resource, id, field, params)
        return self._nested(resource, id, resource.object, field, params)

    def _nested(self, resource: Resource, id: str, param: str, field: str, params: Params) -> JsonObject:
        inner = self.find(resource, id, param)[field]
        rows = [Row(shape["id"], 0, _constant(shape)) for shape in inner["data"]]
        position = {row.id: index for index, row in enumerate(rows)}
        found = page(rows, position, params, inner["url"], resource.nested[field].object)
        found["total_count"] = len(rows)
        return self.expanded({key: found[key] for key in ("object", "data", "has_more", "total_count", "url")}, params)

    def _related(self, resource: Resource, id: str, field: str, params: Params) -> JsonObject:
        link = resource.related[field]
        other = self._simulation.resources.by_name[link.collection]
        snapshot = self._snapshot(other)
        live = [snapshot.rows[index] for index in snapshot.having(link.by, id)]
        rows = [Row(row.id, row.created // SECOND, _object_of(row)) for row in live]
        position = {row.id: index for index, row in enumerate(rows)}
        found = page(rows, position, params, f"/v1/{resource.name}/{id}/{field}", other.object)
        found["data"] = [present(self._simulation.resources, shape) for shape in found["data"]]
        return self.expanded(found, params)

    def _snapshot(self, resource: Resource) -> Snapshot:
        return self._simulation.world.store[resource.name].snapshot(self._simulation.clock)


def _constant(shape: JsonObject) -> Callable[[], JsonObject]:
    return lambda: shape


def _object_of(row: Live) -> Callable[[], JsonObject]:
    return lambda: row.object
