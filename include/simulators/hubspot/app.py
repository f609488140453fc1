"""Routes of the HubSpot simulator."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.simulators.changes import delete_object
from include.simulators.gate import Gate, Service
from include.simulators.hubspot.associations import MAX_BATCH, Associations
from include.simulators.hubspot.errors import HubSpotError, NotFound, bad_request, failure, rate_limited, unauthorized
from include.simulators.hubspot.objects import BASE_URL, Objects, batch_inputs, flag, kind_of, positive
from include.simulators.hubspot.search import search
from include.simulators.simulation import Simulation
from include.simulators.web import compact, read_json
from include.simulators.world.crm_shapes import KINDS, PORTAL_ID, PROPERTIES, property_object
from include.simulators.world.store import JsonObject

CURRENT = "2026-09"
#: Paths of lists.
_LISTS = re.compile(r"^/crm/(objects/[0-9-]+|v3/objects)/[^/]+$|^/crm/owners/[0-9-]+$|^/crm/v3/owners/?$")
#: Longer request lines are refused with 414.
MAX_URL = 16_000

Handler = Callable[[Request], Awaitable[tuple[JsonObject, int]]]


class HubSpotApi:
    """Answers HubSpot's requests from the world at its clock."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._associations = Associations(simulation)
        self._objects = Objects(simulation, self._associations)

    def routes(self) -> list[Route]:
        found: list[Route] = []
        # The dated form of each path, and the older one that puts the version first.
        for objects in (f"/crm/objects/{CURRENT}", "/crm/v3/objects"):
            found += [
                self._route(f"{objects}/{{kind}}", self._list),
                self._route(f"{objects}/{{kind}}/search", self._search, "POST"),
                self._route(f"{objects}/{{kind}}/batch/read", self._batch_read, "POST"),
                self._route(f"{objects}/{{kind}}/{{id}}", self._get),
            ]
        for links in (f"/crm/associations/{CURRENT}", "/crm/v4/associations"):
            found.append(self._route(f"{links}/{{source}}/{{target}}/batch/read", self._read_links, "POST"))
        for owners in (f"/crm/owners/{CURRENT}", "/crm/v3/owners", "/crm/v3/owners/"):
            found.append(self._route(owners, self._owners))
        for pipelines in (f"/crm/pipelines/{CURRENT}", "/crm/v3/pipelines"):
            found.append(self._route(f"{pipelines}/{{kind}}", self._pipelines))
            found.append(self._route(f"{pipelines}/{{kind}}/{{id}}", self._pipeline))
        for properties in (f"/crm/properties/{CURRENT}", "/crm/v3/properties"):
            found.append(self._route(f"{properties}/{{kind}}", self._properties))
            found.append(self._route(f"{properties}/{{kind}}/{{name}}", self._property))
        for account in (f"/account-info/{CURRENT}/details", "/account-info/v3/details"):
            found.append(self._route(account, self._account))
        everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/{path:path}", self._guard(self._unknown), methods=everything)]

    # -- the frame of every request ------------------------------------------------------------

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, self._guard(handler), methods=[method])

    def _guard(self, handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            searching = request.url.path.endswith("/search")
            headers: dict[str, str] = {}
            try:
                if len(request.url.path) + len(request.url.query) > MAX_URL:
                    raise HubSpotError(414, "URI Too Long")
                if request.headers.get("authorization") != f"Bearer {self._simulation.hubspot_token}":
                    raise unauthorized()
                policy = self._simulation.limits.hubspot_policy(searching)
                if not searching:
                    headers = self._simulation.limits.hubspot_headers()
                if policy:
                    raise rate_limited(policy)
                shape, status = await handler(request)
                return compact(shape, status, headers)
            except HubSpotError as error:
                return error.response(headers)

        return endpoint

    async def _unknown(self, request: Request) -> tuple[JsonObject, int]:
        raise NotFound

    async def _body(self, request: Request) -> Any:
        try:
            return await read_json(request)
        except ValueError as error:
            raise bad_request(f"Invalid input JSON on line 1, column 1: {error}") from None

    # -- records -------------------------------------------------------------------------------

    async def _list(self, request: Request) -> tuple[JsonObject, int]:
        kind = kind_of(request.path_params["kind"])
        return self._objects.list_page(kind, dict(request.query_params), request.url.path), 200

    async def _get(self, request: Request) -> tuple[JsonObject, int]:
        kind = kind_of(request.path_params["kind"])
        return self._objects.get(kind, request.path_params["id"], dict(request.query_params)), 200

    async def _search(self, request: Request) -> tuple[JsonObject, int]:
        kind = kind_of(request.path_params["kind"])
        size = len((await request.body()).decode("utf-8", "replace"))
        return search(self._simulation, kind, await self._body(request), size), 200

    async def _batch_read(self, request: Request) -> tuple[JsonObject, int]:
        kind = kind_of(request.path_params["kind"])
        archived = flag(request.query_params.get("archived"))
        return self._objects.batch_read(kind, await self._body(request), archived)

    async def _read_links(self, request: Request) -> tuple[JsonObject, int]:
        source, target = (kind_of(request.path_params[name]) for name in ("source", "target"))
        inputs = batch_inputs(await self._body(request), MAX_BATCH)
        return self._associations.batch_read(source, target, inputs)

    # -- settings ------------------------------------------------------------------------------

    async def _owners(self, request: Request) -> tuple[JsonObject, int]:
        """Owners by ascending id; the archived ones in a pass of their own."""
        snapshot = self._objects.snapshot("owners")
        rows = snapshot.archived if flag(request.query_params.get("archived")) else snapshot.rows
        email = request.query_params.get("email")
        limit = min(500, positive(request.query_params.get("limit"), 100, "limit"))
        after = positive(request.query_params.get("after"), 0, "after")
        found = [row.object for row in rows if int(row.id) > after and email in (None, row.object["email"])]
        answer: JsonObject = {"results": found[:limit]}
        if len(found) > limit:
            cursor = found[limit - 1]["id"]
            link = f"{BASE_URL}{request.url.path}?limit={limit}&after={cursor}"
            answer["paging"] = {"next": {"after": cursor, "link": link}}
        return answer, 200

    def _pipelines_of(self, request: Request) -> list[JsonObject]:
        if kind_of(request.path_params["kind"]) != "deals":
            return []
        rows = self._objects.snapshot("pipelines").rows
        return sorted((row.object for row in rows), key=lambda shape: int(shape["displayOrder"]))

    async def _pipelines(self, request: Request) -> tuple[JsonObject, int]:
        return {"results": self._pipelines_of(request)}, 200

    async def _pipeline(self, request: Request) -> tuple[JsonObject, int]:
        for shape in self._pipelines_of(request):
            if shape["id"] == request.path_params["id"]:
                return shape, 200
        raise NotFound

    async def _properties(self, request: Request) -> tuple[JsonObject, int]:
        kind = kind_of(request.path_params["kind"])
        return {"results": [property_object(property) for property in PROPERTIES[kind].values()]}, 200

    async def _property(self, request: Request) -> tuple[JsonObject, int]:
        property = PROPERTIES[kind_of(request.path_params["kind"])].get(request.path_params["name"])
        if property is None:
            raise HubSpotError(404, f"Property {request.path_params['name']} does not exist", "OBJECT_NOT_FOUND")
        return property_object(property), 200

    async def _account(self, request: Request) -> tuple[JsonObject, int]:
        return {
            "portalId": PORTAL_ID,
            "accountType": "STANDARD",
            "timeZone": "UTC",
            "companyCurrency": "USD",
            "additionalCurrencies": ["EUR", "GBP", "JPY", "KWD"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }, 200


def _empty_page(body: Any, cursor: str | None) -> Any:
    return {**body, "results": [], "paging": {"next": {"after": cursor or "0"}}}


def _delete_next(simulation: Simulation, path: str, body: Any, id: str | None) -> None:
    """Archives the record that the next page would begin with."""
    after = body.get("paging", {}).get("next", {}).get("after")
    kind = next((kind for kind in KINDS if f"/{kind}" in path), None)
    if kind and (id or (after and not path.endswith("/search"))):
        delete_object(simulation, kind, id or after)


def create_app(simulation: Simulation, control: list[Any]) -> Gate:
    """The whole service as an ASGI app. `control` are the routes under `/_sim`."""
    app = Starlette(routes=[*control, *HubSpotApi(simulation).routes()])
    return Gate(app, simulation, Service("hubspot", _LISTS, failure, _empty_page, _delete_next))
