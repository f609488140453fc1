"""The part of the `/_sim` API that is about HubSpot alone: records by hand and in bulk, the portal, its tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.hubspot.portal import Portal
from simulators.simulation import Simulation
from simulators.web import compact, read_json
from simulators.world.crm_bulk import (
    awkward_properties,
    awkward_value,
    edit_many,
    import_contacts,
    link_many,
)
from simulators.world.crm_edits import kind_named
from simulators.world.crm_links import LINKS_BY_NAME
from simulators.world.moments import parse
from simulators.world.store import JsonObject

#: Settings of the portal that are taken as they come.
_PLAIN = {"portal_id": int, "merge_keeps_id": bool, "sparse_archive": bool, "odd_errors": int}
_PLAIN |= {"endless_ids": list, "sensitive": list}
Handler = Callable[[Request, JsonObject], JsonObject]


class HubSpotControl:
    """Every change happens at the clock; wrong requests are answered with 400 or 404 and `{error}`."""

    def __init__(self, simulation: Simulation, portal: Portal) -> None:
        self._simulation = simulation
        self._portal = portal

    def routes(self) -> list[Route]:
        record = "/_sim/records/{kind}/{id}"
        return [
            Route(f"{record}/archive", self._guard(self._archive), methods=["POST"]),
            Route(f"{record}/restore", self._guard(self._restore), methods=["POST"]),
            Route(f"{record}/purge", self._guard(self._purge), methods=["POST"]),
            Route(f"{record}/merge", self._guard(self._merge), methods=["POST"]),
            Route("/_sim/bulk/contacts/import", self._guard(self._import), methods=["POST"]),
            Route("/_sim/bulk/{kind}/edit", self._guard(self._edit), methods=["POST"]),
            Route("/_sim/bulk/{kind}/properties", self._guard(self._properties), methods=["POST"]),
            Route("/_sim/bulk/{name}/link", self._guard(self._link), methods=["POST"]),
            Route("/_sim/portal", self._guard(self._settings), methods=["GET", "PUT"]),
            Route("/_sim/tokens", self._guard(self._tokens), methods=["GET", "POST"]),
            Route("/_sim/tokens/{token}", self._guard(self._token), methods=["PUT", "DELETE"]),
        ]

    def _guard(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                given = await read_json(request) if await request.body() else {}
                if not isinstance(given, dict):
                    raise ValueError("the body must be an object")
                return compact(handler(request, given))
            except LookupError as error:
                return compact({"error": str(error.args[0])}, 404)
            except (TypeError, ValueError) as error:
                return compact({"error": str(error)}, 400)

        return endpoint

    # -- one record ----------------------------------------------------------------------------

    def _archive(self, request: Request, given: JsonObject) -> JsonObject:
        kind, id = kind_named(request.path_params["kind"]), request.path_params["id"]
        self._simulation.crm.archive(kind, id, self._simulation.clock)
        return {"archived": id}

    def _restore(self, request: Request, given: JsonObject) -> JsonObject:
        kind, id = kind_named(request.path_params["kind"]), request.path_params["id"]
        return self._simulation.crm.restore(kind, id, self._simulation.clock)

    def _purge(self, request: Request, given: JsonObject) -> JsonObject:
        kind, id = kind_named(request.path_params["kind"]), request.path_params["id"]
        self._simulation.crm.purge(kind, id, self._simulation.clock)
        return {"purged": id}

    def _merge(self, request: Request, given: JsonObject) -> JsonObject:
        """`{"other": id, "keep_id": false}`: merges the other record into this one, returns what remains."""
        kind, id = kind_named(request.path_params["kind"]), request.path_params["id"]
        keep = bool(given.get("keep_id", self._portal.merge_keeps_id))
        return self._simulation.crm.merge(kind, id, str(given.get("other")), self._simulation.clock, keep_id=keep)

    # -- many ----------------------------------------------------------------------------------

    def _edit(self, request: Request, given: JsonObject) -> JsonObject:
        """`{"count": 12000, "properties": {…}}`: changes so many records in one instant."""
        kind, values = kind_named(request.path_params["kind"]), given.get("properties")
        if not isinstance(values, dict):
            raise ValueError("properties must be an object")
        ids = edit_many(
            self._simulation.crm, self._simulation.world.store, kind, _count(given), values, self._simulation.clock
        )
        return {"edited": len(ids), "ids": ids}

    def _import(self, request: Request, given: JsonObject) -> JsonObject:
        """`{"count": 1000000, "since": "2025-01-01"}`: contacts made from then (or now) until now, cheap in memory."""
        now = self._simulation.clock
        since = parse(given["since"]) if "since" in given else now
        if since > now:
            raise ValueError("since is later than the clock")
        first, last = import_contacts(self._simulation.world.store, _count(given), since, now)
        return {"imported": given["count"], "first": first, "last": last}

    def _link(self, request: Request, given: JsonObject) -> JsonObject:
        """`{"id": …, "count": 150}`: associates one record with so many others."""
        name, id = request.path_params["name"], str(given.get("id"))
        if name not in LINKS_BY_NAME:
            raise ValueError(f"unknown kind of association {name!r}; known: {', '.join(LINKS_BY_NAME)}")
        store, now = self._simulation.world.store, self._simulation.clock
        if store[LINKS_BY_NAME[name].source].snapshot(now).get(id) is None:
            raise LookupError(f"no {LINKS_BY_NAME[name].source} {id}")
        ids = link_many(self._simulation.crm, store, name, id, _count(given), now)
        return {"linked": len(ids), "ids": ids}

    def _properties(self, request: Request, given: JsonObject) -> JsonObject:
        """`{"count": 900, "fill": 20}`: awkwardly named properties, and values for so many of the first records."""
        kind, now = kind_named(request.path_params["kind"]), self._simulation.clock
        known = self._simulation.world.properties[kind]
        made = awkward_properties(_count(given), set(known), now)
        known.update((property.name, property) for property in made)
        rows = self._simulation.world.store[kind].snapshot(now).rows[: int(given.get("fill", 0))]
        for number, row in enumerate(rows):
            # Some have no value at all.
            chosen = (property for index, property in enumerate(made) if (index + number) % 4)
            values = {property.name: awkward_value(property, number + len(property.name)) for property in chosen}
            self._simulation.crm.update(kind, row.id, values, now)
        return {"created": [property.name for property in made], "filled": [row.id for row in rows]}

    # -- the portal ----------------------------------------------------------------------------

    def _settings(self, request: Request, given: JsonObject) -> JsonObject:
        portal, limits, tokens = self._portal, self._simulation.limits, self._portal.tokens
        for key, value in given.items():
            if key == "bad_ids" and isinstance(value, dict) and set(value.values()) <= {"batch", "row"}:
                portal.bad_ids = {str(id): how for id, how in value.items()}
            elif (kind := _PLAIN.get(key)) and type(value) is kind:
                setattr(
                    portal,
                    "id" if key == "portal_id" else key,
                    frozenset(map(str, value)) if isinstance(value, list) else value,
                )
            elif key == "requests_per_ten_seconds" and isinstance(value, int) and value > 0:
                limits.hubspot_burst = value
                limits.reset()
            elif key == "requests_per_day" and isinstance(value, int) and value >= 0:
                limits.hubspot_daily.most = value
            elif key == "requests_left_today" and isinstance(value, int) and value >= 0:
                daily, now = limits.hubspot_daily, self._simulation.clock
                daily.hit(now, max(0, daily.most - daily.used(now) - value))
            elif key == "token_seconds" and isinstance(value, int) and value > 0:
                tokens.lifetime = value
            elif key == "rotate_refresh_tokens" and isinstance(value, bool):
                tokens.rotates = value
            else:
                raise ValueError(f"unknown or bad setting {key!r}: {value!r}")
        daily = limits.hubspot_daily
        return {
            "portal_id": portal.id,
            "merge_keeps_id": portal.merge_keeps_id,
            "bad_ids": portal.bad_ids,
            "endless_ids": sorted(portal.endless_ids),
            "sparse_archive": portal.sparse_archive,
            "sensitive": sorted(portal.sensitive),
            "odd_errors": portal.odd_errors,
            "requests_per_ten_seconds": limits.hubspot_burst,
            "requests_per_day": daily.most,
            "requests_left_today": daily.most - daily.used(self._simulation.clock),
            "token_seconds": tokens.lifetime,
            "rotate_refresh_tokens": tokens.rotates,
        }

    def _tokens(self, request: Request, given: JsonObject) -> JsonObject:
        """All tokens and how often one was refreshed; POST `{"token", "kind", "scopes", "seconds"}` adds one."""
        tokens = self._portal.tokens
        if request.method == "POST":
            scopes = tuple(map(str, given.get("scopes", tokens.scopes)))
            tokens.issue(str(given["token"]), str(given.get("kind", "private")), scopes, given.get("seconds"))
        return {
            "refreshes": tokens.refreshes,
            "refresh_token": tokens.refresh_token,
            "tokens": [token.as_object() for token in tokens.known.values()],
        }

    def _token(self, request: Request, given: JsonObject) -> JsonObject:
        """PUT `{"scopes": […]}` takes scopes away or gives them, DELETE revokes."""
        token: Any = self._portal.tokens.known.get(request.path_params["token"])
        if token is None:
            raise LookupError("no such token")
        if request.method == "DELETE":
            token.revoked = True
        elif isinstance(given.get("scopes"), list):
            token.scopes = tuple(map(str, given["scopes"]))
        else:
            raise ValueError("scopes must be a list")
        found: JsonObject = token.as_object()
        return found


def _count(given: JsonObject) -> int:
    count = given.get("count")
    if not isinstance(count, int) or count < 1:
        raise ValueError("count must be a positive number")
    return count
