"""Routes of the HubSpot simulator."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.gate import Gate, Service
from simulators.hubspot import scopes
from simulators.hubspot.associations import MAX_ARCHIVE, MAX_CREATE, MAX_READ, PAGE, Associations
from simulators.hubspot.control import HubSpotControl
from simulators.hubspot.errors import HubSpotError, NotFound, bad_request, rate_limited
from simulators.hubspot.failures import Between, empty_page, failure
from simulators.hubspot.objects import Objects
from simulators.hubspot.parameters import batch_inputs, flag, kind_of, positive
from simulators.hubspot.portal import Portal
from simulators.hubspot.search import search
from simulators.hubspot.settings import Settings
from simulators.hubspot.tokens import Tokens
from simulators.hubspot.writes import Writes
from simulators.simulation import Simulation
from simulators.web import compact, read_json
from simulators.world.store import JsonObject

CURRENT = "2026-09"
#: Paths of lists.
_LISTS = re.compile(r"^/crm/(objects/[0-9-]+|v3/objects)/[^/]+$|^/crm/owners/[0-9-]+$|^/crm/v3/owners/?$")
#: Longer request lines are refused with 414.
MAX_URL = 16_000

#: What is answered: the body (None: no content) and the status.
Found = tuple[JsonObject | None, int]
Handler = Callable[[Request], Awaitable[Found]]
#: The scopes of which a request needs one.
Needs = Callable[[Request], tuple[str, ...]]


class HubSpotApi:
    """Answers HubSpot's requests from the world at its clock."""

    def __init__(self, simulation: Simulation, portal: Portal) -> None:
        self._simulation = simulation
        self._portal = portal
        self._associations = Associations(simulation, portal)
        self._objects = Objects(simulation, self._associations, portal)
        self._writes = Writes(simulation, portal, self._objects)
        self._settings = Settings(simulation, portal)

    def routes(self) -> list[Route]:
        found: list[Route] = []
        # The dated form of each path, and the older one that puts the version first.
        for objects in (f"/crm/objects/{CURRENT}/{{kind}}", "/crm/v3/objects/{kind}"):
            found += [
                self._route(objects, self._list, _reads),
                self._route(objects, self._create, _writes, "POST"),
                self._route(f"{objects}/search", self._search, _reads, "POST"),
                self._route(f"{objects}/merge", self._merge, _writes, "POST"),
                self._route(f"{objects}/gdpr-delete", self._purge, _writes, "POST"),
                self._route(f"{objects}/batch/read", self._batch_read, _reads, "POST"),
                self._route(f"{objects}/batch/{{what}}", self._batch_write, _writes, "POST"),
                self._route(f"{objects}/{{id}}", self._get, _reads),
                self._route(f"{objects}/{{id}}", self._update, _writes, "PATCH"),
                self._route(f"{objects}/{{id}}", self._archive, _writes, "DELETE"),
            ]
        for links in (f"/crm/associations/{CURRENT}", "/crm/v4/associations"):
            pair = f"{links}/{{source}}/{{target}}/batch"
            found += [
                self._route(f"{pair}/read", self._read_links, _reads_both, "POST"),
                self._route(f"{pair}/create", self._create_links, _writes_both, "POST"),
                self._route(f"{pair}/associate/default", self._default_links, _writes_both, "POST"),
                self._route(f"{pair}/archive", self._archive_links, _writes_both, "POST"),
            ]
        found.append(self._route("/crm/v4/objects/{source}/{id}/associations/{target}", self._links_of, _reads_both))
        for owners in (f"/crm/owners/{CURRENT}", "/crm/v3/owners", "/crm/v3/owners/"):
            found.append(self._route(owners, self._owners, _reads_owners))
            found.append(self._route(f"{owners.rstrip('/')}/{{id}}", self._owner, _reads_owners))
        for pipelines in (f"/crm/pipelines/{CURRENT}", "/crm/v3/pipelines"):
            found.append(self._route(f"{pipelines}/{{kind}}", self._pipelines, _reads_schema))
            found.append(self._route(f"{pipelines}/{{kind}}/{{id}}", self._pipeline, _reads_schema))
            found.append(self._route(f"{pipelines}/{{kind}}/{{id}}/stages", self._stages, _reads_schema))
        for properties in (f"/crm/properties/{CURRENT}", "/crm/v3/properties"):
            found += [
                self._route(f"{properties}/{{kind}}", self._properties, _reads_schema),
                self._route(f"{properties}/{{kind}}", self._create_property, _writes_schema, "POST"),
                self._route(f"{properties}/{{kind}}/batch/read", self._read_properties, _reads_schema, "POST"),
                self._route(f"{properties}/{{kind}}/{{name}}", self._property, _reads_schema),
                self._route(f"{properties}/{{kind}}/{{name}}", self._delete_property, _writes_schema, "DELETE"),
            ]
        for account in (f"/account-info/{CURRENT}/details", "/account-info/v3/details"):
            found.append(self._route(account, self._account, _anybody))
        for version in (CURRENT, "2026-03", "v1", "v3"):
            found.append(Route(f"/oauth/{version}/token", self._grant, methods=["POST"]))
        found.append(Route("/oauth/v1/access-tokens/{token}", self._token_info, methods=["GET"]))
        everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/{path:path}", self._guard(self._unknown, _anybody), methods=everything)]

    # -- the frame of every request ------------------------------------------------------------

    def _route(self, path: str, handler: Handler, needs: Needs, method: str = "GET") -> Route:
        return Route(path, self._guard(handler, needs), methods=[method])

    def _guard(self, handler: Handler, needs: Needs) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            searching = request.url.path.endswith("/search")
            headers: dict[str, str] = {}
            try:
                if len(request.url.path) + len(request.url.query) > MAX_URL:
                    raise HubSpotError(414, "URI Too Long")
                token = self._portal.tokens.check(request.headers.get("authorization"))
                now, limits, oauth = self._simulation.clock, self._simulation.limits, token.kind == "oauth"
                policy = limits.hubspot_policy(now, search=searching, oauth=oauth)
                if not searching:
                    headers = limits.hubspot_headers(now, oauth=oauth)
                if policy:
                    raise rate_limited(policy)
                self._portal.tokens.require(token, needs(request))
                shape, status = await handler(request)
                return Response(None, status, headers) if shape is None else compact(shape, status, headers)
            except HubSpotError as error:
                return error.response(headers)

        return endpoint

    async def _grant(self, request: Request) -> Response:
        """The token endpoint takes a form, and no token."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        try:
            return compact(self._portal.tokens.grant(form, self._portal.id))
        except HubSpotError as error:
            return error.response({})

    async def _token_info(self, request: Request) -> Response:
        try:
            return compact(self._portal.tokens.info(request.path_params["token"], self._portal.id))
        except HubSpotError as error:
            return error.response({})

    async def _unknown(self, request: Request) -> Found:
        raise NotFound

    async def _body(self, request: Request) -> Any:
        try:
            return await read_json(request)
        except ValueError as error:
            raise bad_request(f"Invalid input JSON on line 1, column 1: {error}") from None

    # -- records -------------------------------------------------------------------------------

    async def _list(self, request: Request) -> Found:
        return self._objects.list_page(_kind(request), _query(request), request.url.path), 200

    async def _get(self, request: Request) -> Found:
        return self._objects.get(_kind(request), request.path_params["id"], _query(request)), 200

    async def _search(self, request: Request) -> Found:
        size = len((await request.body()).decode("utf-8", "replace"))
        return search(self._simulation, _kind(request), await self._body(request), size), 200

    async def _batch_read(self, request: Request) -> Found:
        archived = flag(request.query_params.get("archived"))
        return self._objects.batch_read(_kind(request), await self._body(request), archived)

    async def _create(self, request: Request) -> Found:
        return self._writes.create(_kind(request), await self._body(request)), 201

    async def _update(self, request: Request) -> Found:
        by = request.query_params.get("idProperty")
        return self._writes.update(_kind(request), request.path_params["id"], await self._body(request), by), 200

    async def _archive(self, request: Request) -> Found:
        self._writes.archive(_kind(request), request.path_params["id"])
        return None, 204

    async def _merge(self, request: Request) -> Found:
        return self._writes.merge(_kind(request), await self._body(request)), 200

    async def _purge(self, request: Request) -> Found:
        self._writes.purge(_kind(request), await self._body(request))
        return None, 204

    async def _batch_write(self, request: Request) -> Found:
        what = request.path_params["what"]
        if what not in ("create", "update", "upsert", "archive"):
            raise NotFound
        return self._writes.batch(_kind(request), what, await self._body(request))

    # -- associations --------------------------------------------------------------------------

    async def _read_links(self, request: Request) -> Found:
        inputs = batch_inputs(await self._body(request), MAX_READ)
        return self._associations.batch_read(*_pair(request), inputs)

    async def _links_of(self, request: Request) -> Found:
        after = positive(request.query_params.get("after"), 0, "after")
        limit = min(PAGE, positive(request.query_params.get("limit"), PAGE, "limit"))
        return self._associations.page(*_pair(request), request.path_params["id"], after, limit), 200

    async def _create_links(self, request: Request) -> Found:
        inputs = batch_inputs(await self._body(request), MAX_CREATE)
        return self._associations.batch_create(*_pair(request), inputs)

    async def _default_links(self, request: Request) -> Found:
        inputs = batch_inputs(await self._body(request), MAX_CREATE)
        return self._associations.batch_create(*_pair(request), inputs, default=True)

    async def _archive_links(self, request: Request) -> Found:
        self._associations.batch_archive(*_pair(request), batch_inputs(await self._body(request), MAX_ARCHIVE))
        return None, 204

    # -- settings ------------------------------------------------------------------------------

    async def _owners(self, request: Request) -> Found:
        return self._settings.owners(_query(request), request.url.path), 200

    async def _owner(self, request: Request) -> Found:
        return self._settings.owner(request.path_params["id"], _query(request)), 200

    async def _pipelines(self, request: Request) -> Found:
        return {"results": self._settings.pipelines(_kind(request))}, 200

    async def _pipeline(self, request: Request) -> Found:
        return self._settings.pipeline(_kind(request), request.path_params["id"]), 200

    async def _stages(self, request: Request) -> Found:
        return {"results": self._settings.pipeline(_kind(request), request.path_params["id"])["stages"]}, 200

    async def _properties(self, request: Request) -> Found:
        return self._settings.properties(_kind(request), flag(request.query_params.get("archived"))), 200

    async def _property(self, request: Request) -> Found:
        return self._settings.property(_kind(request), request.path_params["name"]), 200

    async def _read_properties(self, request: Request) -> Found:
        return self._settings.read_properties(_kind(request), await self._body(request))

    async def _create_property(self, request: Request) -> Found:
        return self._settings.create_property(_kind(request), await self._body(request)), 201

    async def _delete_property(self, request: Request) -> Found:
        self._settings.delete_property(_kind(request), request.path_params["name"])
        return None, 204

    async def _account(self, request: Request) -> Found:
        return {
            "portalId": self._portal.id,
            "accountType": "STANDARD",
            "timeZone": "UTC",
            "companyCurrency": "USD",
            "additionalCurrencies": ["EUR", "GBP", "JPY", "KWD"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }, 200


def _query(request: Request) -> dict[str, str]:
    """The query; a list of names may come with commas or as a parameter that is repeated."""
    asked = request.query_params
    return {name: ",".join(asked.getlist(name)) for name in asked}


def _kind(request: Request) -> Any:
    return kind_of(request.path_params["kind"])


def _pair(request: Request) -> tuple[str, str]:
    return kind_of(request.path_params["source"]), kind_of(request.path_params["target"])


def _reads(request: Request) -> tuple[str, ...]:
    return scopes.objects(_kind(request), "read")


def _writes(request: Request) -> tuple[str, ...]:
    return scopes.objects(_kind(request), "write")


def _reads_both(request: Request) -> tuple[str, ...]:
    return scopes.objects(_pair(request)[0], "read")


def _writes_both(request: Request) -> tuple[str, ...]:
    return scopes.objects(_pair(request)[0], "write")


def _reads_schema(request: Request) -> tuple[str, ...]:
    return scopes.schemas(_kind(request), "read")


def _writes_schema(request: Request) -> tuple[str, ...]:
    return scopes.schemas(_kind(request), "write")


def _reads_owners(request: Request) -> tuple[str, ...]:
    return scopes.OWNERS


def _anybody(request: Request) -> tuple[str, ...]:
    return ()


def create_app(simulation: Simulation, control: list[Any]) -> Gate:
    """The whole service as an ASGI app. `control` are the routes under `/_sim` that both services have."""
    portal = Portal(Tokens(simulation.hubspot_token, lambda: simulation.clock))
    between = Between(portal)
    own = HubSpotControl(simulation, portal).routes()
    app = Starlette(routes=[*own, *control, *HubSpotApi(simulation, portal).routes()])
    service = Service("hubspot", _LISTS, failure, empty_page, between.archive_next, disturb=between.disturb)
    return Gate(app, simulation, service)
