"""Several accounts in one DAG: mapped, none holds the others back. By `airflow dags test`, without a scheduler."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.airflow import airflow_cli
from tests.support.pipeline import empty, query
from tests.support.world import World
from tributary.settings import settings

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(300)]

HISTORY = {"streams": ["products"], "window_start": "2024-07-01", "window_end": "2026-01-04"}


@pytest.fixture
def second(world: World) -> Iterator[World]:
    """Another account, in a simulator of its own over another world."""
    command = [sys.executable, "-m", "simulators", "serve", "--stripe-port", "0", "--hubspot-port", "0"]
    command += ["--seed", "9", "--customers", "5", "--stripe-account", "acct_second"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            urls = [re.search(r"http://\S+", server.stdout.readline()) for _ in range(2)]
            assert all(urls)
            yield World(*(url.group() for url in urls if url))
        finally:
            server.terminate()


def clients_file(folder: Path, **other: Any) -> str:
    """The demo's clients and, before its own, another one of Stripe."""
    declared = yaml.safe_load(settings().clients_path.read_text())
    declared["stripe"].insert(0, {**declared["stripe"][0], **other})
    file = folder / "clients.yml"
    file.write_text(yaml.safe_dump(declared))
    return str(file)


def run(environment: dict[str, str], *, fails: bool = False) -> str:
    day = "2025-01-08T12:00:00"
    return airflow_cli(environment, "dags", "test", "ingest_stripe", day, "--conf", json.dumps(HISTORY), fails=fails)


def loaded() -> dict[str, set[str]]:
    """Ids of the live products by client."""
    rows = query("select client_id, id from raw.stripe_products where _deleted_at is null")
    return {
        client: {row["id"] for row in rows if row["client_id"] == client} for client in {r["client_id"] for r in rows}
    }


def alive(world: World) -> set[str]:
    products = world.books("stripe", "products")
    return {entry["id"] for entry in products if not entry["deleted_at"] and entry["created"] < "2026-01-04"}


def test_two_accounts_are_read_side_by_side(alone: dict[str, str], world: World, second: World, tmp_path: Path) -> None:
    empty("stripe_products")
    file = clients_file(tmp_path, client_id="second", account="acct_second", connection="stripe_second")
    connection = json.dumps({"conn_type": "http", "host": second.stripe, "password": "sk_test_tributary"})
    run({**alone, "TRIBUTARY_CLIENTS_FILE": file, "AIRFLOW_CONN_STRIPE_SECOND": connection})
    assert loaded() == {"acme": alive(world), "second": alive(second)}
    assert alive(world) != alive(second)


def test_one_client_with_a_broken_key_holds_nobody_back(alone: dict[str, str], world: World, tmp_path: Path) -> None:
    empty("stripe_products")
    file = clients_file(tmp_path, client_id="broken", account="acct_of_somebody_else")
    text = run({**alone, "TRIBUTARY_CLIENTS_FILE": file}, fails=True)
    assert "leads to Stripe account acct_tributary, but client broken is pinned to acct_of_somebody_else" in text
    assert "stripe.products: 1 of 2 chunks were not staged: broken 2024-07-01..2026-01-04" in text
    assert loaded() == {"acme": alive(world)}


def test_one_client_without_a_permission_holds_nobody_back(
    alone: dict[str, str], world: World, second: World, tmp_path: Path
) -> None:
    """Its first load is to be cut by how much there is, which it may not ask either."""
    empty("stripe_products")
    second.fault("stripe", kind="missing_permission", times=100, path="/v1/products")
    file = clients_file(tmp_path, client_id="second", account="acct_second", connection="stripe_second")
    connection = json.dumps({"conn_type": "http", "host": second.stripe, "password": "sk_test_tributary"})
    text = run({**alone, "TRIBUTARY_CLIENTS_FILE": file, "AIRFLOW_CONN_STRIPE_SECOND": connection}, fails=True)
    assert "stripe.products: 1 of 2 chunks were not staged: second 2024-07-01..2026-01-04" in text
    assert loaded() == {"acme": alive(world)}


def test_planning_goes_on_without_a_client_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning asks it in vain, and plans its window all the same."""
    from tributary.clients import Client
    from tributary.contracts.loader import load_contracts
    from tributary.landing.plan import Wish
    from tributary.operators.ingest.plan_ingest import PlanOperator
    from tributary.windows import Window

    away = Client(client_id="away", connection="stripe_away", account="acct_away", since=date(2025, 1, 1))
    connection = json.dumps({"conn_type": "http", "host": "http://127.0.0.1:9", "password": "sk_test_tributary"})
    monkeypatch.setenv("AIRFLOW_CONN_STRIPE_AWAY", connection)
    monkeypatch.setattr("tributary.api.client.ATTEMPTS", 1)
    operator = PlanOperator(task_id="plan", source="stripe", stream="products")
    today = datetime.now(UTC)
    wish = Wish(window=Window(today - timedelta(days=1), today))
    [item] = operator._items(load_contracts("stripe")["products"], away, wish, [])
    assert (item["client_id"], item["window_start"], item["axis"]) == ("away", "2025-01-01T00:00:00Z", "created")
