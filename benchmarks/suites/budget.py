"""How much of a request budget is used, against simulators that enforce the services' real limits."""

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import requests

from benchmarks.report import Report
from include.local.services import SIMULATORS
from include.local.stack import start_stack
from tests.support.world import World
from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.sources import source


class _Anything(msgspec.Struct):
    """An answer whose content doesn't matter."""


#: What is read: name, source, API family, and one request.
_Request = Callable[[ApiClient], Any]
_SEARCH = {"filterGroups": [], "limit": 1}
_CASES: list[tuple[str, str, str, _Request]] = [
    ("Stripe, a list", "stripe", "default", lambda api: api.get("/v1/invoices", _Anything, {"limit": 1})),
    (
        "HubSpot, a list",
        "hubspot",
        "default",
        lambda api: api.get("/crm/objects/2026-09/contacts", _Anything, {"limit": 1}),
    ),
    (
        "HubSpot, a search",
        "hubspot",
        "search",
        lambda api: api.post("/crm/objects/2026-09/contacts/search", _Anything, _SEARCH, family="search"),
    ),
]


def run(report: Report, short: bool) -> None:
    """Send requests as fast as the client lets them go, one after the other."""
    seconds = 5 if short else 25
    rows, used = [], []
    with tempfile.TemporaryDirectory() as folder, start_stack(SIMULATORS, base_dir=Path(folder)) as environment:
        os.environ.update(environment)
        world = World.of(environment)
        for name, service, family, send in _CASES:
            url, key = (
                getattr(world, service),
                json.loads(environment[f"AIRFLOW_CONN_{service.upper()}_DEFAULT"])["password"],
            )
            requests.put(f"{url}/_sim/settings", json={"rate_limits": True}, timeout=10).raise_for_status()
            row = _measure(service, url, key, family, seconds, send)
            rows.append({"": name, **row})
            used.append(row["share of the budget used"])
            requests.put(f"{url}/_sim/settings", json={"rate_limits": False}, timeout=10).raise_for_status()
    report.table("request budget", rows)
    report.key("rate_budget_used", min(used))
    report.key("rate_budget_429", sum(row["answers 429"] for row in rows))
    report.save()


def _measure(service: str, url: str, key: str, family: str, seconds: int, send: _Request) -> dict[str, Any]:
    api_source = source(service)
    # A Stripe endpoint takes 25 requests a second, in live mode as in test mode.
    client = Client(client_id="bench", connection="bench", account="1", livemode=False, since=date(2024, 7, 1))
    budgets = api_source.budgets(client)
    number = int(budgets[family] * seconds)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        session.headers.update(api_source.headers())
        api = ApiClient(session, url, "bench", budgets, api_source.judge)
        begun = time.perf_counter()
        for _ in range(number):
            send(api)
        took = time.perf_counter() - begun
    # The first second's requests may go at once, so the least time is that of the rest.
    least = number / budgets[family] - 1
    return {
        "requests": number,
        "seconds": round(took, 2),
        "least": round(least, 2),
        "share of the budget used": round(min(1.0, least / took), 3),
        "answers 429": api.counts["http 429"],
    }
