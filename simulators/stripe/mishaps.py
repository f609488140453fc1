"""Stripe's part in the fault menu: answers instead of its own, and lists that shift while they are walked."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.types import Scope

from simulators.changes import delete_object, put_object
from simulators.faults import Fault
from simulators.gate import Answer, Service
from simulators.simulation import Simulation
from simulators.stripe.errors import API_VERSION, RATE_REASONS, StripeError
from simulators.world.moments import SECOND
from simulators.world.resources import Resource

#: Paths of lists.
_LISTS = re.compile(r"^/v1/(?!account$|balance$)[a-z_]+$|^/v1/[a-z_]+/[^/]+/[a-z_]+$")


def service() -> Service:
    return Service("stripe", _LISTS, failure, _empty_page, _delete_next, _create_next)


def failure(simulation: Simulation, fault: Fault, scope: Scope) -> Answer:
    """The answer of a fault that replaces Stripe's own."""
    headers = {"content-type": "application/json", "request-id": "req_faulted", "stripe-version": API_VERSION}
    if fault.should_retry is not None:
        headers["stripe-should-retry"] = str(fault.should_retry).lower()
    if fault.kind in ("html_500", "unavailable"):
        status, text = (500, "Internal Server Error") if fault.kind == "html_500" else (503, "Service Unavailable")
        page = f"<html>\n<head><title>{status} {text}</title></head>\n<body><h1>{text}</h1></body>\n</html>\n"
        return Answer(status, {**headers, "content-type": "text/html"}, page.encode())
    error = _error(simulation, fault, scope["path"])
    headers |= {name.lower(): value for name, value in error.headers.items()}
    body = error.body("req_faulted", simulation.world.account.id)
    return Answer(error.status, headers, msgspec.json.format(msgspec.json.encode(body), indent=2))


def _error(simulation: Simulation, fault: Fault, path: str) -> StripeError:
    if fault.kind == "expired_token":
        return StripeError(401, "Expired API Key provided: sk_test_*****tary", code="api_key_expired")
    if fault.kind == "missing_permission":
        return StripeError(
            403,
            "The provided key 'rk_test_*****tary' does not have the required permissions for this endpoint on account "
            f"'{simulation.world.account.id}'. Having the '{fault.reason or _permission(simulation, path)}' permission "
            "would allow this request to continue.",
        )
    if fault.kind == "lock_timeout":
        return StripeError(
            429,
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it.",
            code="lock_timeout",
        )
    headers = {"Stripe-Rate-Limited-Reason": fault.reason or RATE_REASONS[0]}
    return StripeError(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)


def _permission(simulation: Simulation, path: str) -> str:
    """The permission of restricted keys that reading a path takes."""
    found = _resource(simulation, path)
    if found:
        return found.permission or f"rak_{found.object}_read"
    return f"rak_{path.split('/')[2].rstrip('s')}_read"


def _resource(simulation: Simulation, path: str) -> Resource | None:
    base = "/".join(path.split("/")[:3])
    if base in simulation.resources.by_path:
        return simulation.resources.by_path[base][0]
    return simulation.resources.get(path.split("/")[2])


def _empty_page(body: Any, cursor: str | None) -> Any:
    return {**body, "data": [], "has_more": True}


def _delete_next(simulation: Simulation, path: str, body: Any, id: str | None) -> None:
    """Deletes the last object of the page: the one that the next request uses as its cursor."""
    resource = _resource(simulation, path)
    if resource is None or not (id or body["data"]):
        return
    gone = id or body["data"][-1]["id"]
    if path == f"/v1/{resource.name}":
        delete_object(simulation, resource.name, gone, for_good=True)
        return
    for field in resource.nested:
        snapshot = simulation.world.store[resource.name].snapshot(simulation.clock)
        for index in snapshot.having(f"{field}.data.id", gone):
            parent = snapshot.rows[index].object
            rest = [shape for shape in parent[field]["data"] if shape["id"] != gone]
            put_object(simulation, resource.name, parent["id"], {field: rest}, merge=True)


def _create_next(simulation: Simulation, path: str, body: Any) -> None:
    """Creates an object as of now: a copy of the newest one on the page, under an id of its own."""
    resource = _resource(simulation, path)
    if resource is None or path != f"/v1/{resource.name}" or not body["data"]:
        return
    store = simulation.world.store[resource.name]
    twin = store.latest(body["data"][0]["id"])
    id = resource.prefix + simulation.world.ids.token(20, "between pages", resource.name, len(store.records))
    put_object(simulation, resource.name, id, {**twin, "created": simulation.clock // SECOND})
