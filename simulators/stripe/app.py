"""Routes of the Stripe simulator, and the frame of every request: key, version, rate, errors."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.gate import Gate
from simulators.simulation import Simulation
from simulators.stripe.account import account_object, balance_object
from simulators.stripe.errors import API_VERSION, StripeError
from simulators.stripe.event_list import EventList
from simulators.stripe.lists import parse_params
from simulators.stripe.mishaps import service
from simulators.stripe.reader import Reader
from simulators.web import id_in, pretty
from simulators.world.store import JsonObject

_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")


class StripeApi:
    """Answers Stripe's requests from the world at its clock."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._reader = Reader(simulation)
        self._events = EventList(simulation, self._reader)
        self._requests = 0

    def routes(self) -> list[Route]:
        return [
            self._route("/v1/account", self._account),
            self._route("/v1/balance", self._balance),
            self._route("/v1/events", lambda request: self._events.list(_pairs(request))),
            self._route("/v1/events/{id}", lambda request: self._events.get(id_in(request), _pairs(request))),
            self._route("/v1/{name}", self._list),
            self._route("/v1/{name}/{id}", self._get),
            self._route("/v1/{name}/{id}/{field}", self._list_inside),
            Route("/{path:path}", self._guard(self._unknown), methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
        ]

    # -- the frame of every request ------------------------------------------------------------

    def _route(self, path: str, handler: Callable[[Request], JsonObject]) -> Route:
        return Route(path, self._guard(handler), methods=["GET"])

    def _guard(self, handler: Callable[[Request], JsonObject]) -> Callable[[Request], Any]:
        """Checks key, version and rate before `handler`; turns StripeError into an answer."""

        async def endpoint(request: Request) -> Response:
            self._requests += 1
            request_id = self._simulation.world.ids.stripe("request", "http", self._requests)
            version = request.headers.get("stripe-version", API_VERSION)
            headers = {"Request-Id": request_id, "Stripe-Version": version}
            try:
                self._authenticate(request)
                if not _VERSION.match(version):
                    raise StripeError(400, f"Invalid Stripe API version: {version}")
                self._count(request)
                return pretty(handler(request), 200, headers)
            except StripeError as error:
                body = error.body(request_id, self._simulation.world.account.id)
                return pretty(body, error.status, {**headers, **error.headers})

        return endpoint

    def _authenticate(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given).decode().partition(":")[0]
            except ValueError:
                given = ""
        challenge = {"WWW-Authenticate": 'Basic realm="Stripe"'}
        if not given:
            raise StripeError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                headers=challenge,
            )
        if given != self._simulation.stripe_key:
            hidden = f"{given[:8]}{'*' * max(0, len(given) - 12)}{given[-4:]}" if len(given) > 12 else "****"
            raise StripeError(401, f"Invalid API Key provided: {hidden}", headers=challenge)

    def _count(self, request: Request) -> None:
        endpoint = "/".join(request.url.path.split("/")[:3])
        reason = self._simulation.limits.stripe(endpoint)
        if reason:
            headers = {"Stripe-Rate-Limited-Reason": reason}
            raise StripeError(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)

    # -- what there is -------------------------------------------------------------------------

    def _unknown(self, request: Request) -> JsonObject:
        raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")

    def _account(self, request: Request) -> JsonObject:
        parse_params(_pairs(request), ())
        return account_object(self._simulation.world.account)

    def _balance(self, request: Request) -> JsonObject:
        parse_params(_pairs(request), ())
        return balance_object(self._simulation)

    def _list(self, request: Request) -> JsonObject:
        name, path = request.path_params["name"], request.url.path
        resource = self._simulation.resources.get(name)
        if resource and resource.served:
            return self._reader.list(resource, _pairs(request))
        if path in self._simulation.resources.by_path:
            return self._reader.list_by_path(path, _pairs(request))
        return self._unknown(request)

    def _get(self, request: Request) -> JsonObject:
        name, id = request.path_params["name"], id_in(request)
        resource = self._simulation.resources.get(name)
        if resource and resource.served:
            return self._reader.get(resource, id, _pairs(request))
        if f"/v1/{name}" in self._simulation.resources.by_path:
            return self._reader.get_nested(f"/v1/{name}", id, _pairs(request))
        return self._unknown(request)

    def _list_inside(self, request: Request) -> JsonObject:
        name, id, field = request.path_params["name"], id_in(request), request.path_params["field"]
        resource = self._simulation.resources.get(name)
        if resource and resource.served:
            nested = resource.nested.get(field)
            if field in resource.related or (nested and not nested.path):
                return self._reader.list_inside(resource, id, field, _pairs(request))
        return self._unknown(request)


def _pairs(request: Request) -> list[tuple[str, str]]:
    return request.query_params.multi_items()


def create_app(simulation: Simulation, control: list[Any]) -> Gate:
    """The whole service as an ASGI app. `control` are the routes under `/_sim`."""
    app = Starlette(routes=[*control, *StripeApi(simulation).routes()])
    return Gate(app, simulation, service())
