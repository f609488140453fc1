"""The `/_sim` API: clock, ground truth, changes by hand, faults, and the log of requests. It takes no key."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulators.books import world_books
from simulators.changes import ChangeError, add_collection, delete_object, put_object
from simulators.faults import Fault, parse_fault
from simulators.simulation import Simulation
from simulators.stripe.events import event_books
from simulators.web import compact, id_in, read_json
from simulators.world.build import HUBSPOT_COLLECTIONS, LINK_COLLECTIONS
from simulators.world.moments import SECOND, iso, parse
from simulators.world.store import JsonObject


class Control:
    """The routes under `/_sim` on the port of one service.

    The clock, the books, the objects and the settings are the same on both ports; the fault menu and the log of
    requests are those of the service.
    """

    def __init__(self, simulation: Simulation, service: str) -> None:
        self._simulation = simulation
        self._service = service

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/health", self._guard(self._health), methods=["GET"]),
            Route("/_sim/clock", self._guard(self._clock), methods=["GET", "PUT"]),
            Route("/_sim/books/{collection}", self._books, methods=["GET"]),
            Route("/_sim/collections/{collection}", self._guard(self._add_collection), methods=["PUT"]),
            Route("/_sim/objects/{collection}/{id}", self._guard(self._objects), methods=["PUT", "PATCH", "DELETE"]),
            Route("/_sim/faults", self._guard(self._faults), methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/_sim/settings", self._guard(self._settings), methods=["GET", "PUT"]),
            Route("/_sim/requests", self._guard(self._requests), methods=["GET", "DELETE"]),
            Route("/_sim/{path:path}", self._guard(self._unknown), methods=["GET", "PUT", "POST", "DELETE", "PATCH"]),
        ]

    def _guard(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                return compact(await handler(request))
            except ChangeError as error:
                return compact({"error": str(error)}, error.status)
            except ValueError as error:
                return compact({"error": str(error)}, 400)

        return endpoint

    async def _unknown(self, request: Request) -> JsonObject:
        raise ChangeError(f"there is no {request.url.path}", 404)

    async def _health(self, request: Request) -> JsonObject:
        world = self._simulation.world
        sizes = {name: len(world.store[name].records) for name in self._names()}
        return {
            "status": "ok",
            "seed": world.seed,
            "customers": world.customers,
            "now": iso(self._simulation.clock),
            "records": sizes,
        }

    async def _clock(self, request: Request) -> JsonObject:
        if request.method == "PUT":
            given = await read_json(request)
            if not isinstance(given, dict) or not isinstance(given.get("now"), str):
                raise ChangeError('expected {"now": "2026-01-04T06:00:00Z"}')
            self._simulation.set_clock(parse(given["now"]))
        return {"now": iso(self._simulation.clock)}

    def _names(self) -> tuple[str, ...]:
        return (*self._simulation.resources.by_name, *HUBSPOT_COLLECTIONS, *LINK_COLLECTIONS)

    def _collection(self, request: Request) -> str:
        name: str = request.path_params["collection"]
        if name not in self._names():
            raise ChangeError(f"unknown collection {name!r}; known: {', '.join(self._names())}", 404)
        return name

    async def _add_collection(self, request: Request) -> JsonObject:
        return add_collection(self._simulation, request.path_params["collection"], await read_json(request))

    async def _books(self, request: Request) -> Response:
        try:
            name = request.path_params["collection"]
            name = name if name in ("events", "properties") else self._collection(request)
            at = parse(request.query_params["at"]) if "at" in request.query_params else self._simulation.clock
        except ChangeError as error:
            return compact({"error": str(error)}, error.status)
        except ValueError as error:
            return compact({"error": f"at: {error}"}, 400)
        on_clocks = "on_test_clocks" in request.query_params
        simulation = self._simulation
        lines = event_books(simulation, at) if name == "events" else world_books(simulation.world, name, at, on_clocks)
        return StreamingResponse(_written(lines), media_type="application/x-ndjson")

    async def _objects(self, request: Request) -> JsonObject:
        name, id = self._collection(request), id_in(request)
        if request.method == "DELETE":
            delete_object(self._simulation, name, id)
            return {"deleted": id}
        return put_object(self._simulation, name, id, await read_json(request), merge=request.method == "PATCH")

    async def _faults(self, request: Request) -> JsonObject:
        """PUT replaces the menu, POST adds to it, DELETE clears it; the answer is always the menu."""
        menu, service = self._simulation.faults, self._service
        mine = [fault for fault in menu.faults if fault.service == service]
        if request.method != "GET":
            others = [fault for fault in menu.faults if fault.service != service]
            found = [] if request.method == "DELETE" else await self._read_faults(request)
            mine = [*mine, *found] if request.method == "POST" else found
            menu.faults = [*others, *mine]
        return {"faults": [fault.as_object() for fault in mine]}

    async def _read_faults(self, request: Request) -> list[Fault]:
        given = await read_json(request)
        if isinstance(given, dict) and "faults" in given:
            given = given["faults"]
        return [parse_fault(each, self._service) for each in (given if isinstance(given, list) else [given])]

    async def _settings(self, request: Request) -> JsonObject:
        """Rate limits (off by default), lag of the search index, page size of associations, Stripe's last upgrade, and
        what something between the client and the service lets through."""
        simulation = self._simulation
        if request.method == "PUT":
            given = await read_json(request)
            if not isinstance(given, dict):
                raise ChangeError("the body must be an object")
            for key, value in given.items():
                if key == "rate_limits" and isinstance(value, bool):
                    simulation.limits.enforced = value
                    simulation.limits.reset()
                elif key == "search_lag_seconds" and isinstance(value, int | float) and value >= 0:
                    simulation.search_lag = int(value * SECOND)
                elif key == "association_page" and isinstance(value, int) and value > 0:
                    simulation.association_page = value
                elif key in ("answer_limit", "answer_limit_status", "url_limit") and isinstance(value, int | None):
                    setattr(simulation, key, value)
                elif key == "upgraded_at" and isinstance(value, str | None):
                    simulation.upgraded_at = None if value is None else parse(value)
                else:
                    raise ChangeError(f"unknown or bad setting {key!r}: {value!r}")
        return {
            "rate_limits": simulation.limits.enforced,
            "search_lag_seconds": simulation.search_lag / SECOND,
            "association_page": simulation.association_page,
            "answer_limit": simulation.answer_limit,
            "answer_limit_status": simulation.answer_limit_status,
            "url_limit": simulation.url_limit,
            "upgraded_at": None if simulation.upgraded_at is None else iso(simulation.upgraded_at),
        }

    async def _requests(self, request: Request) -> JsonObject:
        mine = [entry for entry in self._simulation.log if entry.service == self._service]
        if request.method == "DELETE":
            self._simulation.forget_requests(self._service)
            mine = []
        counts = Counter(f"{entry.method} {entry.path} {entry.status}" for entry in mine)
        return {"total": len(mine), "counts": dict(counts), "requests": [entry.as_object() for entry in mine]}


async def _written(lines: Iterable[JsonObject]) -> AsyncIterator[bytes]:
    """The lines as NDJSON, some at a time: a large collection needn't fit into memory twice."""
    rest = iter(lines)
    while some := list(islice(rest, 500)):
        yield b"".join(msgspec.json.encode(line) + b"\n" for line in some)
