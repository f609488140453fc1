"""Processes that know nothing of each other use an account's budget, and no more of it."""

import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tributary.concurrency import POOL_SLOTS, STREAM_TASKS

pytestmark = pytest.mark.emulators

ASK = """
import sys
import msgspec
from tributary.clients import load_clients
from tributary.hooks.api import ApiHook
from tributary.sources import source
name, request, times = sys.argv[1:]
limits = {"requests_per_second": None, "livemode": True if name == "stripe" else None}
client = load_clients(name)["acme"].model_copy(update=limits)
api, livemode = ApiHook(source(name), client).client()
if name == "hubspot":
    source(name).check_account(api, client, livemode)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(times)):
    match request:
        case "search":
            api.post("/crm/objects/2026-09/contacts/search", msgspec.Raw, {"limit": 1}, family="search")
        case path:
            api.get(path, msgspec.Raw, {"limit": 1})
"""


@pytest.mark.parametrize(
    ("source", "request_", "tasks", "each", "budget"),
    [
        # What the larger editions have: the headers of the account's answer say so.
        ("hubspot", "/crm/objects/2026-09/contacts", POOL_SLOTS["hubspot"], 35, 19.0),
        ("stripe", "/v1/invoices", STREAM_TASKS, 25, 25.0),
        ("hubspot", "/crm/objects/2026-09/contacts", POOL_SLOTS["hubspot"], 20, 10.0),
        ("hubspot", "search", POOL_SLOTS["hubspot"], 10, 5.0),
    ],
)
def test_tasks_that_run_side_by_side(
    world: Any, source: str, request_: str, tasks: int, each: int, budget: float
) -> None:
    """As many processes as Airflow lets run, against the simulator with the real limits; requests a second."""
    if source == "hubspot":
        world.hubspot_sim("portal", method="PUT", requests_per_ten_seconds=190 if budget > 10 else 100)
    world.settings(source, rate_limits=True)
    try:
        command = [sys.executable, "-c", ASK, source, request_, str(each)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running = [subprocess.Popen(command, cwd=ROOT / "plugins", **pipes) for _ in range(tasks)]
        for task in running:
            # What the libraries say while they start comes before it.
            assert task.stdin
            assert task.stdout
            while task.stdout.readline() not in ("ready\n", ""):
                pass
        for task in running:
            print(file=task.stdin, flush=True)
        assert [task.wait(timeout=120) for task in running] == [0] * tasks
    finally:
        world.settings(source, rate_limits=False)
    log = [entry for entry in world.requests(source) if entry["path"].endswith(request_)]
    refused = len([entry for entry in log if entry["status"] != 200])
    # None where the processes get their turns; on a machine that is busy otherwise, one may come late and meet another.
    assert refused <= max(6, 0.03 * len(log)), f"{refused} of {len(log)} requests were refused"
    times = sorted(entry["ts"] for entry in log if entry["status"] == 200)
    assert len(times) == each * tasks
    # The middle part, in which all of them are at it.
    middle = [moment for moment in times if times[0] + 1.5 < moment < times[-1] - 1.5]
    rate = (len(middle) - 1) / (middle[-1] - middle[0])
    print(f"{source} {request_}: {rate:.2f} requests a second of {budget}, {refused} refused")
    assert 0.7 * budget < rate < 1.2 * budget, "of a few seconds, so not exact"
