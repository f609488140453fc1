"""The command line, and what only a real socket shows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.simulators.conftest import HUBSPOT_AUTH, STRIPE_AUTH

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulators", "serve", "--customers", "25", *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@dataclass
class Served:
    process: subprocess.Popen[str]
    stripe: str
    hubspot: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    process = start("--stripe-port", "0", "--hubspot-port", "0")
    assert process.stdout is not None
    urls = [process.stdout.readline().split(" on ")[1].strip() for _ in range(2)]
    assert process.stdout.readline().startswith("ready in ")
    yield Served(process, *urls)
    process.terminate()
    assert process.wait(10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def fault(url: str, **given: object) -> None:
    assert requests.put(f"{url}/_sim/faults", json=given, timeout=5).status_code == 200


def test_both_answer(served: Served) -> None:
    stripe = requests.get(f"{served.stripe}/v1/customers", headers=STRIPE_AUTH, timeout=5)
    assert stripe.json()["data"]
    assert stripe.headers["Date"] == "Sun, 04 Jan 2026 06:00:00 GMT"
    hubspot = requests.get(f"{served.hubspot}/crm/objects/2026-09/deals", headers=HUBSPOT_AUTH, timeout=5)
    assert hubspot.json()["results"]
    assert hubspot.headers["Date"] == stripe.headers["Date"]
    assert "Server" not in hubspot.headers


def test_one_clock_for_both(served: Served) -> None:
    requests.put(f"{served.stripe}/_sim/clock", json={"now": "2026-01-05T06:00:00Z"}, timeout=5)
    assert requests.get(f"{served.hubspot}/_sim/clock", timeout=5).json()["now"].startswith("2026-01-05T06")
    requests.put(f"{served.stripe}/_sim/clock", json={"now": "2026-01-04T06:00:00Z"}, timeout=5)


def test_a_connection_is_reset(served: Served) -> None:
    fault(served.stripe, kind="reset")
    with pytest.raises(requests.ConnectionError, match=r"reset by peer|Connection aborted"):
        requests.get(f"{served.stripe}/v1/customers", headers=STRIPE_AUTH, timeout=5)
    assert requests.get(f"{served.stripe}/v1/customers", headers=STRIPE_AUTH, timeout=5).status_code == 200


def test_a_body_is_cut_off(served: Served) -> None:
    fault(served.stripe, kind="truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        requests.get(f"{served.stripe}/v1/invoices", headers=STRIPE_AUTH, timeout=5)
    fault(served.hubspot, kind="truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        requests.get(f"{served.hubspot}/crm/objects/2026-09/deals", headers=HUBSPOT_AUTH, timeout=5)
    assert requests.get(f"{served.stripe}/v1/invoices", headers=STRIPE_AUTH, timeout=5).json()["data"]


def test_a_slow_body_does_not_hold_up_others(served: Served) -> None:
    fault(served.stripe, kind="slow", seconds=1.0, path="/v1/invoices")
    with requests.get(f"{served.stripe}/v1/invoices", headers=STRIPE_AUTH, timeout=5, stream=True) as slow:
        began = time.monotonic()
        assert requests.get(f"{served.stripe}/v1/customers", headers=STRIPE_AUTH, timeout=5).ok
        assert time.monotonic() - began < 0.9
        assert slow.json()["data"]


def test_a_long_url_is_answered(served: Served) -> None:
    answer = requests.get(
        f"{served.hubspot}/crm/objects/2026-09/deals?properties={'x' * 20_000}", headers=HUBSPOT_AUTH, timeout=5
    )
    assert answer.status_code == 414


def test_pages_are_quick(served: Served) -> None:
    session = requests.Session()
    session.headers.update(STRIPE_AUTH)
    session.get(f"{served.stripe}/v1/invoices", params={"limit": 100}, timeout=5)
    began = time.monotonic()
    for _ in range(10):
        assert session.get(f"{served.stripe}/v1/invoices", params={"limit": 100}, timeout=5).ok
    assert (time.monotonic() - began) / 10 < 0.2


def test_the_log_tells_how_many_requests_a_second_were_served() -> None:
    process = start("--stripe-port", "0", "--hubspot-port", "0", "--rate-limits", "--stripe-account", "acct_second")
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].strip()
        while not process.stdout.readline().startswith("ready"):
            assert process.poll() is None
        session = requests.Session()
        session.headers.update(STRIPE_AUTH)
        paths = ("customers", "invoices", "charges", "refunds", "coupons")
        for number in range(120):
            session.get(f"{url}/v1/{paths[number % 5]}", params={"limit": 1}, timeout=5)
        assert session.get(f"{url}/_sim/requests", timeout=5).json()["total"] == 120
        log = session.get(f"{url}/_sim/requests", timeout=5).json()["requests"]
        served = [entry["ts"] for entry in log if entry["status"] == 200]
        assert {entry["service"] for entry in log} == {"stripe"}
        # The simulator counts a request a moment before it is logged.
        assert all(served[index + 26] - at > 0.9 for index, at in enumerate(served[:-26]))
        time.sleep(1.1)
        assert session.get(f"{url}/v1/account", timeout=5).json()["id"] == "acct_second"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("option", ["--stripe-port", "--hubspot-port"])
def test_a_port_in_use_is_named(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"--stripe-port": "0", "--hubspot-port": "0", option: str(port)}
        process = start(*[part for pair in ports.items() for part in pair])
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {port} is in use" in err
    assert option in err
    assert "Traceback" not in err
    assert out == ""


def test_bad_options() -> None:
    for arguments in (("--clock", "soon"), ("--clock", "1999-01-01"), ("--customers", "0")):
        process = start("--stripe-port", "0", "--hubspot-port", "0", *arguments)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 2
        assert "Traceback" not in err


def test_interrupt_ends_it_too() -> None:
    process = start("--stripe-port", "0", "--hubspot-port", "0")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("ready"):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 0


def test_help_and_world() -> None:
    for arguments, word in (
        (("--help",), "serve"),
        (("serve", "--help"), "--stripe-port"),
        (("world", "--customers", "25"), "invoices"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "simulators", *arguments],
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=30,
            check=True,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
        )
        assert word in done.stdout
