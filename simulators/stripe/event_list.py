"""`/v1/events`: the list and single events."""

from __future__ import annotations

import re

from simulators.simulation import Simulation
from simulators.stripe.errors import invalid, missing_object
from simulators.stripe.events import EventRows
from simulators.stripe.filters import PAGING
from simulators.stripe.lists import boolean, page, parse_params
from simulators.stripe.reader import Pairs, Reader
from simulators.world.store import JsonObject


class EventList:
    def __init__(self, simulation: Simulation, reader: Reader) -> None:
        self._simulation = simulation
        self._reader = reader
        self._kept: tuple[tuple[int, int, int | None], EventRows] | None = None

    def _rows(self) -> EventRows:
        """Kept until the clock or the log changes."""
        simulation = self._simulation
        key = (simulation.clock, simulation.world.store.event_revision, simulation.upgraded_at)
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, EventRows(simulation))
        return self._kept[1]

    def get(self, id: str, pairs: Pairs) -> JsonObject:
        params, rows = parse_params(pairs, ()), self._rows()
        if id not in rows.position:
            raise missing_object("event", id)
        return self._reader.expanded(rows.rows[rows.position[id]].render(), params)

    def list(self, pairs: Pairs) -> JsonObject:
        params = parse_params(pairs, (*PAGING, "type", "delivery_success"), ("created",), ("types",))
        types = params.lists.get("types", [])
        if types and "type" in params.single:
            raise invalid("types", "You may only specify one of these parameters: type, types.")
        if len(types) > 20:
            raise invalid("types", "You may pass up to 20 event types.")
        if "type" in params.single:
            types = [params.single["type"]]
        if "delivery_success" in params.single and not boolean("delivery_success", params.single["delivery_success"]):
            types = ["-"]
        rows = self._rows()
        pattern = event_pattern(types)
        found = page(
            rows.rows,
            rows.position,
            params,
            "/v1/events",
            "event",
            by_created=rows.by_created,
            wanted=(lambda index: pattern.match(rows.types[index]) is not None) if types else None,
        )
        return self._reader.expanded(found, params)


def event_pattern(types: list[str]) -> re.Pattern[str]:
    """Matches any of the event names, in which `*` stands for anything."""
    return re.compile("^(?:" + "|".join(re.escape(name).replace(r"\*", ".*") for name in types) + ")$")
