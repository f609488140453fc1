"""Measures the share of a request budget that is used, against simulators that enforce the services' real limits."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import requests

from benchmarks.report import Report
from local.services import SIMULATORS
from local.stack import start_stack
from tests.support.world import World
from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.concurrency import POOL_SLOTS, STREAM_TASKS
from tributary.sources import source


class _Anything(msgspec.Struct):
    """An answer whose content doesn't matter."""


#: What is read: name, source, API family, requests per second that the service allows, tasks that Airflow runs beside
#: each other, and one request.
_Request = Callable[[ApiClient], Any]
_SEARCH = {"filterGroups": [], "limit": 1}
_CONTACTS = "/crm/objects/2026-09/contacts"
_CASES: list[tuple[str, str, str, float, int, _Request]] = [
    (
        "Stripe, a list",
        "stripe",
        "default",
        25.0,
        STREAM_TASKS,
        lambda api: api.get("/v1/invoices", _Anything, {"limit": 1}),
    ),
    (
        "HubSpot, a list",
        "hubspot",
        "default",
        10.0,
        POOL_SLOTS["hubspot"],
        lambda api: api.get(_CONTACTS, _Anything, {"limit": 1}),
    ),
    (
        "HubSpot, a search",
        "hubspot",
        "search",
        5.0,
        POOL_SLOTS["hubspot"],
        lambda api: api.post(f"{_CONTACTS}/search", _Anything, _SEARCH, family="search"),
    ),
]


def run(report: Report, short: bool) -> None:
    """Send requests as fast as the client lets them go, one after the other."""
    seconds = 5 if short else 20
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, start_stack(SIMULATORS, base_dir=Path(folder)) as environment:
        world = World.of(environment)
        for name, service, family, allowed, tasks, send in _CASES:
            url = getattr(world, service)
            key = json.loads(environment[f"AIRFLOW_CONN_{service.upper()}_DEFAULT"])["password"]
            requests.put(f"{url}/_sim/settings", json={"rate_limits": True}, timeout=10).raise_for_status()
            each = round(allowed * seconds / tasks)
            begun = time.perf_counter()
            with ThreadPoolExecutor(tasks) as pool:
                counts = list(pool.map(lambda _: _task(service, url, key, family, each, send), range(tasks)))  # noqa: B023
            took, least = time.perf_counter() - begun, (each * tasks - tasks) / allowed
            requests.put(f"{url}/_sim/settings", json={"rate_limits": False}, timeout=10).raise_for_status()
            rows.append(
                {
                    "": name,
                    "tasks": tasks,
                    "requests": each * tasks,
                    "seconds": round(took, 2),
                    "least": round(least, 2),
                    "share used": round(least / took, 3),
                    "answers 429": sum(one["http 429"] for one in counts),
                }
            )
    report.table("request budget", rows)
    report.key("rate_budget_used", min(row["share used"] for row in rows))
    report.key("rate_budget_429", sum(row["answers 429"] for row in rows))
    report.save()


def _task(service: str, url: str, key: str, family: str, number: int, send: _Request) -> Counter[str]:
    """One task's requests, one after the other; the first of all tasks go at once."""
    api_source = source(service)
    client = Client(client_id="bench", connection="bench", account="1", livemode=True, since=date(2024, 7, 1))
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        session.headers.update(api_source.headers())
        api = ApiClient(session, url, "bench", api_source.spacing(client), api_source.judge)
        for _ in range(number):
            send(api)
    return Counter({"http 429": sum(n for what, n in api.counts.items() if what.startswith("http 429"))})
