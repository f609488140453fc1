"""Routes of the Stripe simulator."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.simulators.changes import delete_object
from include.simulators.gate import Gate, Service
from include.simulators.simulation import Simulation
from include.simulators.stripe.errors import API_VERSION, StripeError, failure, invalid, missing_object
from include.simulators.stripe.events import EventRows, present
from include.simulators.stripe.expand import Expander
from include.simulators.stripe.filters import FILTERS, PAGING, tests_for
from include.simulators.stripe.lists import Params, Row, boolean, page, parse_params
from include.simulators.web import pretty
from include.simulators.world.moments import SECOND
from include.simulators.world.shapes import ACCOUNT_ID, ACCOUNT_NAME
from include.simulators.world.store import JsonObject

#: Paths of lists.
_LISTS = re.compile(r"^/v1/(?!account$|balance$)[a-z_]+$|/lines$")
_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")


class StripeApi:
    """Answers Stripe's requests from the world at its clock."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._events: tuple[tuple[int, int, int | None], EventRows] | None = None
        self._requests = 0

    def routes(self) -> list[Route]:
        found = [
            self._route("/v1/account", self._account),
            self._route("/v1/balance", self._balance),
            self._route("/v1/subscription_items", self._subscription_items),
            self._route("/v1/invoices/{id}/lines", self._lines),
            self._route("/v1/events", self._list_events),
            self._route("/v1/events/{id}", self._event),
        ]
        for name in FILTERS:
            found.append(self._route(f"/v1/{name}", self._lister(name)))
            found.append(self._route(f"/v1/{name}/{{id}}", self._getter(name)))
        everything = Route(
            "/{path:path}", self._guard(self._unknown), methods=["GET", "POST", "DELETE", "PUT", "PATCH"]
        )
        return [*found, everything]

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
                return pretty(error.body(request_id), error.status, {**headers, **error.headers})

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

    def _unknown(self, request: Request) -> JsonObject:
        raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")

    def _expand(self, shape: JsonObject, params: Params) -> JsonObject:
        paths = params.lists.get("expand", [])
        return Expander(self._simulation.world, self._simulation.clock).expand(shape, paths) if paths else shape

    # -- single objects ------------------------------------------------------------------------

    def _account(self, request: Request) -> JsonObject:
        parse_params(request.query_params.multi_items(), ())
        return {
            "id": ACCOUNT_ID,
            "object": "account",
            "business_profile": {"name": ACCOUNT_NAME, "url": "https://tributary.example"},
            "business_type": "company",
            "charges_enabled": True,
            "country": "US",
            "created": 1_719_000_000,
            "default_currency": "usd",
            "details_submitted": True,
            "email": "billing@tributary.example",
            "metadata": {},
            "payouts_enabled": True,
            "settings": {"dashboard": {"display_name": ACCOUNT_NAME, "timezone": "Etc/UTC"}},
            "type": "standard",
        }

    def _balance(self, request: Request) -> JsonObject:
        parse_params(request.query_params.multi_items(), ())
        empty = {"amount": 0, "currency": "usd", "source_types": {"card": 0}}
        return {"object": "balance", "available": [empty], "livemode": False, "pending": [empty]}

    def _find(self, name: str, id: str, param: str = "id") -> JsonObject:
        """The full object; the stub of a deleted customer; a StripeError for all that isn't there."""
        kind = name[:-1]
        record = self._simulation.world.store[name].records.get(id)
        version = record.at(self._simulation.clock) if record else None
        if version is None or (version.gone and name != "customers"):
            raise missing_object(kind, id, param)
        if version.gone:
            return {"id": id, "object": kind, "deleted": True}
        return version.object

    def _getter(self, name: str) -> Callable[[Request], JsonObject]:
        def get(request: Request) -> JsonObject:
            params = parse_params(request.query_params.multi_items(), ())
            return self._expand(present(self._find(name, request.path_params["id"])), params)

        return get

    def _event(self, request: Request) -> JsonObject:
        params = parse_params(request.query_params.multi_items(), ())
        rows, id = self._event_rows(), request.path_params["id"]
        if id not in rows.position:
            raise missing_object("event", id)
        return self._expand(rows.rows[rows.position[id]].render(), params)

    # -- lists ---------------------------------------------------------------------------------

    def _lister(self, name: str) -> Callable[[Request], JsonObject]:
        filters, ranges = FILTERS[name]

        def list_(request: Request) -> JsonObject:
            params = parse_params(request.query_params.multi_items(), (*PAGING, *filters), ranges)
            snapshot = self._simulation.world.store[name].snapshot(self._simulation.clock)
            derived = snapshot.derived
            if "rows" not in derived:
                derived["rows"] = [Row(row.id, row.created // SECOND, _constant(row.object)) for row in snapshot.rows]
                derived["created"] = [-row.created for row in derived["rows"]]
            found = page(
                derived["rows"],
                snapshot.position,
                params,
                f"/v1/{name}",
                name[:-1],
                tests_for(name, params),
                by_created=derived["created"],
            )
            found["data"] = [present(shape) for shape in found["data"]]
            return self._expand(found, params)

        return list_

    def _lines(self, request: Request) -> JsonObject:
        params = parse_params(request.query_params.multi_items(), PAGING)
        invoice = self._find("invoices", request.path_params["id"], "invoice")
        return self._nested(invoice["lines"], params, "line_item")

    def _subscription_items(self, request: Request) -> JsonObject:
        params = parse_params(request.query_params.multi_items(), (*PAGING, "subscription"))
        if "subscription" not in params.single:
            raise invalid("subscription", "Missing required param: subscription.", "parameter_missing")
        subscription = self._find("subscriptions", params.single["subscription"], "subscription")
        return self._nested(subscription["items"], params, "subscription_item")

    def _nested(self, inner: JsonObject, params: Params, kind: str) -> JsonObject:
        rows = [Row(shape["id"], 0, _constant(shape)) for shape in inner["data"]]
        position = {row.id: index for index, row in enumerate(rows)}
        found = page(rows, position, params, inner["url"], kind)
        found["total_count"] = len(rows)
        return self._expand({key: found[key] for key in ("object", "data", "has_more", "total_count", "url")}, params)

    def _event_rows(self) -> EventRows:
        """Kept until the clock or the log changes."""
        world, upgraded_at = self._simulation.world, self._simulation.upgraded_at
        key = (self._simulation.clock, world.store.event_revision, upgraded_at)
        if self._events is None or self._events[0] != key:
            self._events = (key, EventRows(world, self._simulation.clock, upgraded_at))
        return self._events[1]

    def _list_events(self, request: Request) -> JsonObject:
        allowed = (*PAGING, "type", "types", "delivery_success")
        params = parse_params(request.query_params.multi_items(), allowed, ("created",))
        types = params.lists.get("types", [])
        if types and "type" in params.single:
            raise invalid("types", "You may only specify one of these parameters: type, types.")
        if len(types) > 20:
            raise invalid("types", "You may pass up to 20 event types.")
        if "type" in params.single:
            types = [params.single["type"]]
        if "delivery_success" in params.single and not boolean("delivery_success", params.single["delivery_success"]):
            types = ["-"]
        rows = self._event_rows()
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
        return self._expand(found, params)


def event_pattern(types: list[str]) -> re.Pattern[str]:
    """Matches any of the event names, in which `*` stands for anything."""
    return re.compile("^(?:" + "|".join(re.escape(name).replace(r"\*", ".*") for name in types) + ")$")


def _constant(shape: JsonObject) -> Callable[[], JsonObject]:
    return lambda: shape


def _empty_page(body: Any, cursor: str | None) -> Any:
    return {**body, "data": [], "has_more": True}


def _delete_next(simulation: Simulation, path: str, body: Any, id: str | None) -> None:
    """Deletes the last object of the page: the one that the next request uses as its cursor."""
    name = path.rsplit("/", 1)[-1]
    if name in FILTERS and (id or body["data"]):
        delete_object(simulation, name, id or body["data"][-1]["id"])


def create_app(simulation: Simulation, control: list[Any]) -> Gate:
    """The whole service as an ASGI app. `control` are the routes under `/_sim`."""
    app = Starlette(routes=[*control, *StripeApi(simulation).routes()])
    return Gate(app, simulation, Service("stripe", _LISTS, failure, _empty_page, _delete_next))
