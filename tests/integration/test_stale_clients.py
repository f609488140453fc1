"""The gate of a build: required clients are waited for, optional ones that are behind are marked where readers look."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from tests.conftest import ROOT
from tests.support.pipeline import query, warehouse
from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.sensors.ledger import LedgerSensor
from tributary.settings import settings
from tributary.warehouse.tables import migrate

pytestmark = pytest.mark.emulators

DAY = {"window_start": "2026-01-04", "window_end": "2026-01-05"}


@pytest.fixture(autouse=True)
def two_clients(services: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A required and an optional client, of whom nothing is loaded."""
    [declared] = yaml.safe_load((ROOT / "include" / "clients.yml").read_text())["stripe"]
    both = [{**declared, "client_id": name, "required": name == "must"} for name in ("must", "maybe")]
    file = tmp_path / "clients.yml"
    file.write_text(yaml.safe_dump({"stripe": both}))
    monkeypatch.setenv("TRIBUTARY_CLIENTS_FILE", str(file))
    migrate(warehouse(), {})
    forget()
    yield
    query("delete from ops.ledger where client_id in ('must', 'maybe'); delete from ops.stale_clients where true;")
    monkeypatch.undo()
    forget()


def forget() -> None:
    settings.cache_clear()
    load_clients.cache_clear()


def covers(client: str, start: str, end: str, *streams: str) -> None:
    """What a load writes into the ledger."""
    rows = [
        f"('{client} {contract.stream} {end}', 'load', '{client}', 'stripe', '{contract.stream}', '{contract.daily}', "
        f"timestamp '{start}', timestamp '{end}', current_timestamp(), current_timestamp())"
        for contract in load_contracts("stripe").values()
        if not streams or contract.stream in streams
    ]
    query(
        "insert into ops.ledger (load_id, kind, client_id, source, stream, axis, window_start, window_end, "
        f"observed_from, loaded_at) values {', '.join(rows)}"
    )


def gate() -> tuple[LedgerSensor, dict[str, Any]]:
    sensor = LedgerSensor(task_id="wait", sources=["stripe"], timeout=timedelta(0))
    now = datetime(2026, 1, 6, tzinfo=UTC)
    run = SimpleNamespace(data_interval_start=None, data_interval_end=None, run_after=now)
    ti = SimpleNamespace(dag_id="build_warehouse", run_id="test", task_id="wait")
    return sensor, {"params": DAY, "dag_run": run, "ti": ti}


def stale() -> dict[str, tuple[datetime, datetime]]:
    rows = query("select stream, client_id, missing_from, missing_until from ops.stream_status where stale")
    return {f"{row['stream']} of {row['client_id']}": (row["missing_from"], row["missing_until"]) for row in rows}


def test_an_optional_client_that_is_behind_is_marked_until_it_has_caught_up():
    covers("must", "2026-01-01", "2026-01-05")
    covers("maybe", "2026-01-01", "2026-01-04")
    covers(
        "maybe", "2026-01-04", "2026-01-05", *(s for s in load_contracts("stripe") if s not in ("invoices", "refunds"))
    )
    sensor, context = gate()
    sensor.execute(context)
    missing = datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    assert stale() == {"invoices of maybe": missing, "refunds of maybe": missing}
    covers("maybe", "2026-01-04", "2026-01-05", "invoices")
    assert stale() == {"refunds of maybe": missing}


def test_an_optional_client_of_whom_nothing_was_ever_loaded_is_marked_too():
    covers("must", "2026-01-01", "2026-01-05")
    sensor, context = gate()
    sensor.execute(context)
    assert len(stale()) == len(load_contracts("stripe"))
    never = query("select covered_until, loads from ops.stream_status where client_id = 'maybe' and stream = 'prices'")
    assert never == [{"covered_until": None, "loads": None}]


def test_when_time_is_up_it_says_what_is_missing_of_whom():
    covers("must", "2026-01-01", "2026-01-04T18:00:00Z", "invoices")
    covers("must", "2026-01-01", "2026-01-05", *(s for s in load_contracts("stripe") if s != "invoices"))
    sensor, context = gate()
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(context)

    async def first() -> Any:
        return (await anext(aiter(deferred.value.trigger.run()))).payload

    with pytest.raises(AirflowFailException) as failed:
        sensor.resume(context, asyncio.run(first()))
    assert (
        "the ledger still lacks stripe.invoices of client must on the changed axis for "
        "[2026-01-04T18:00:00Z, 2026-01-05T00:00:00Z). Run the ingest DAG of that source for the window"
    ) in str(failed.value)
    assert stale() == {}
