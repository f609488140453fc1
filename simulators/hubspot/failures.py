"""The answers of faults that replace HubSpot's own, and the changes that faults make between two pages."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.types import Scope

from simulators.faults import Fault
from simulators.gate import Answer
from simulators.hubspot.errors import (
    NOT_FOUND_PAGE,
    HubSpotError,
    missing_scopes,
    rate_limited,
    unauthorized,
)
from simulators.hubspot.parameters import kind_of
from simulators.hubspot.portal import Portal
from simulators.simulation import Simulation
from simulators.world.crm_types import Kind

_HTML = {"content-type": "text/html;charset=iso-8859-1"}
_JSON = {"content-type": "application/json;charset=utf-8"}
_OBJECTS = re.compile(r"^/crm/(?:objects/[0-9-]+|v3/objects)/([^/]+)")
_TEXTS = {
    414: "URI Too Long",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
#: Cloudflare stands in front of HubSpot and has statuses of its own.
_CLOUDFLARE = {520: "Web server is returning an unknown error", 521: "Web server is down", 523: "Origin is unreachable"}
_CLOUDFLARE |= {524: "A timeout occurred"}
#: A property of each kind that an edit can set to anything.
_FREE = {
    "contacts": "internal_note",
    "companies": "city",
    "deals": "next_step_note",
    "tickets": "content",
    "workspaces": "workspace_name",
}


def failure(simulation: Simulation, fault: Fault, scope: Scope) -> Answer:
    """The answer of a fault that replaces HubSpot's own."""
    if fault.kind == "not_found":
        return Answer(404, dict(_HTML), NOT_FOUND_PAGE.encode())
    if fault.kind == "cloudflare":
        return _cloudflare(fault.status or 524)
    if fault.kind in ("html_500", "unavailable"):
        return _page(500 if fault.kind == "html_500" else 503)
    if fault.kind == "http_error" and (fault.status or 502) >= 500:
        return _page(fault.status or 502)
    headers = dict(_JSON)
    if fault.kind == "migration":
        headers["retry-after"] = str(int(fault.seconds))
    return _json(_error(fault, scope), headers)


def _error(fault: Fault, scope: Scope) -> HubSpotError:
    if fault.kind == "expired_token":
        return unauthorized(expired=True)
    if fault.kind == "lock_timeout":
        return HubSpotError(423, "This resource is locked, try again.", "RESOURCE_LOCKED")
    if fault.kind == "migration":
        return HubSpotError(477, "This account is being migrated between data centers.", "MIGRATION_IN_PROGRESS")
    if fault.kind == "missing_scopes":
        return missing_scopes([fault.reason or "crm.objects.contacts.read"])
    if fault.kind == "http_error":
        status = fault.status or 502
        return HubSpotError(status, _TEXTS.get(status, "Bad request"))
    search = scope["path"].endswith("/search")
    return rate_limited(fault.reason or ("SECONDLY" if search else "TEN_SECONDLY_ROLLING"))


def _json(error: HubSpotError, headers: dict[str, str]) -> Answer:
    return Answer(error.status, headers, msgspec.json.encode(error.body()))


def _page(status: int) -> Answer:
    text = _TEXTS.get(status, "Error")
    page = f"<html><head><title>{status} {text}</title></head><body><h2>HTTP ERROR {status}</h2></body></html>\n"
    return Answer(status, dict(_HTML), page.encode())


def _cloudflare(status: int) -> Answer:
    text = _CLOUDFLARE.get(status, "Error")
    page = (
        f'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>api.hubapi.com | {status}: {text}</title></head>\n'
        f'<body><div id="cf-wrapper"><h1>{text}</h1><span>Error code {status}</span>'
        "<p>Cloudflare Ray ID: 9a1b2c3d4e5f6071</p></div></body>\n</html>\n"
    )
    return Answer(status, {"content-type": "text/html; charset=UTF-8", "cf-ray": "9a1b2c3d4e5f6071-FRA"}, page.encode())


def empty_page(body: Any, cursor: str | None) -> Any:
    return {**body, "results": [], "paging": {"next": {"after": cursor or "0"}}}


class Between:
    """Changes records between two pages of a walk: those just served, and those that the next page would show."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def archive_next(self, simulation: Simulation, path: str, body: Any, id: str | None) -> None:
        kind, _, coming = _around(simulation, path, body)
        if kind and (id or coming):
            simulation.crm.archive(kind, id or coming[0], simulation.clock)

    def disturb(self, simulation: Simulation, fault: Fault, path: str, body: Any) -> None:
        kind, served, coming = _around(simulation, path, body)
        if kind is None:
            return
        if fault.kind == "edit_between_pages":
            half = fault.count // 2
            chosen = [*served[-half:], *coming[: fault.count - half]] if half else coming[: fault.count]
            for id in chosen:
                simulation.crm.update(kind, id, {_FREE[kind]: f"edited at {simulation.clock}"}, simulation.clock)
        elif served and coming:
            keep = self._portal.merge_keeps_id
            simulation.crm.merge(kind, coming[0], served[-1], simulation.clock, keep_id=keep)


def _around(simulation: Simulation, path: str, body: Any) -> tuple[Kind | None, list[str], list[str]]:
    """The kind that a page is of, the live records on it, and those with higher ids."""
    match = _OBJECTS.match(path)
    if match is None or not body.get("results"):
        return None, [], []
    kind = kind_of(match[1])
    live = simulation.world.store[kind].snapshot(simulation.clock)
    served = [shape["id"] for shape in body["results"] if live.get(shape["id"])]
    last = max(int(shape["id"]) for shape in body["results"])
    return kind, served, [row.id for row in live.rows if int(row.id) > last]
