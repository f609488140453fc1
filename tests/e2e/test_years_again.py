"""`make backfill`: days by a run each, a long range by one run in chunks; given again, it does nothing twice."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.conftest import ROOT
from tests.support.airflow import Airflow
from tests.support.pipeline import query
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.emulators, pytest.mark.timeout(900)]


def backfill(airflow: Airflow, *arguments: str, fails: bool = False, command: str = "backfill") -> str:
    command_line = [sys.executable, "-m", "local", command, "ingest_stripe", "--url", airflow.url, *arguments]
    environment = os.environ | {"AIRFLOW_PASSWORD": airflow.password}
    done = subprocess.run(
        command_line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr


def windows(run_like: str) -> list[tuple[datetime, datetime]]:
    rows = query(
        "select distinct window_start, window_end from ops.ledger where table_name = 'stripe_products' "
        f"and run_id like '{run_like}' order by 1, 2"
    )
    return [(row["window_start"], row["window_end"]) for row in rows]


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def test_a_short_range_is_a_run_for_each_day(airflow: Airflow, company: World) -> None:
    days = ("--from", "2025-03-02", "--to", "2025-03-04", "--stream", "products")
    said = backfill(airflow, *days, "--backwards")
    assert "3 days by a run each, 3 of them to run" in said
    loaded = windows("backfill__2025-03%")
    assert [end for _, end in loaded] == [day(2025, 3, number) for number in (3, 4, 5)]
    assert "0 of them to run" in backfill(airflow, *days)
    assert windows("backfill__2025-03%") == loaded


def test_a_long_range_is_one_run_in_chunks(airflow: Airflow, company: World) -> None:
    year = ("--from", "2025-01-01", "--to", "2025-12-31", "--chunk", "100", "--stream", "products")
    said = backfill(airflow, *year, "--backwards")
    assert "365 days in one run of chunks of 100 days: range__2025-01-01__2025-12-31__by100__products, new" in said
    loaded = windows("range__%")
    assert (loaded[0][0] <= day(2025, 1, 1), loaded[-1][1]) == (True, day(2026, 1, 1))
    assert len(loaded) == 4
    run_id = "range__2025-01-01__2025-12-31__by100__products"
    tasks = airflow.instances("ingest_stripe", run_id, "products.window.extract")
    first = min(tasks, key=lambda task: task["map_index"])
    assert first["rendered_map_index"] == "acme 2025-10-27..2026-01-01", "the newest comes first"
    assert "success" in backfill(airflow, *year)
    assert windows("range__%") == loaded


def test_what_cannot_be_meant_is_refused(airflow: Airflow) -> None:
    assert "is later than" in backfill(airflow, "--from", "2025-02-01", "--to", "2025-01-01", fails=True)
    assert "is not over yet" in backfill(airflow, "--from", "2025-02-01", "--to", "2999-01-01", fails=True)
    assert "Write days as" in backfill(airflow, "--from", "2025-02", "--to", "2025-02-03", fails=True)


def test_a_replay_of_nothing_skips_and_asks_nothing(airflow: Airflow, company: World) -> None:
    """`make replay`; what it does with rejects is in tests/integration/test_replay.py and the runbook."""
    before = len(company.requests("stripe"))
    said = backfill(airflow, "--stream", "products", "--from", "2025-01-01", "--to", "2025-01-31", command="replay")
    run_id = said.split()[0].rstrip(":")
    assert airflow.tasks("ingest_stripe", run_id)["products.plan"] == "skipped"
    assert len(company.requests("stripe")) == before
    assert "go together" in backfill(airflow, "--from", "2025-01-01", fails=True, command="replay")
