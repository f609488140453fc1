"""How a range is cut, and backfills that meet; what then runs is in tests/e2e/test_years_again.py."""

import io
import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from rich.console import Console

from local import backfill
from local.backfill import Backfill, Range
from local.demo.airflow_api import AirflowApi
from tests.support.backfills import Backfills, serving
from tributary.landing.plan import MOST_CHUNKS

MARCH = Range("ingest_stripe", date(2025, 3, 4), date(2025, 3, 6), streams=("products",))
MAY = Range("ingest_stripe", date(2025, 5, 1), date(2025, 5, 2), streams=("products",))


@pytest.mark.parametrize(
    ("first", "asked", "days"), [(date(2025, 1, 1), None, 30), (date(2010, 1, 1), None, 117), (date(2010, 1, 1), 7, 7)]
)
def test_many_years_are_cut_into_chunks_that_a_run_takes(first: date, asked: int | None, days: int) -> None:
    wanted = Range("ingest_stripe", first, date(2025, 12, 31), chunk_days=asked)
    assert wanted.chunk == days
    assert asked or wanted.days / wanted.chunk <= MOST_CHUNKS - 2


class Terminal(threading.Thread):
    """Somebody who runs `make backfill`."""

    def __init__(self, url: str, wanted: Range) -> None:
        super().__init__(daemon=True)
        self._out = io.StringIO()
        self._backfill = Backfill(AirflowApi(url, "x"), wanted, Console(file=self._out, width=300))
        self.succeeded: bool | None = None
        self.start()

    def run(self) -> None:
        self.succeeded = self._backfill.run()

    @property
    def said(self) -> str:
        return self._out.getvalue()


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "_POLL_SECONDS", 0.05)


def test_two_at_once_are_both_loaded_and_the_second_says_what_it_waits_for() -> None:
    there = Backfills()
    with serving(there) as url:
        first = Terminal(url, MARCH)
        until(lambda: there.made)
        second = Terminal(url, MAY)
        until(lambda: "waiting for" in second.said)
        assert "waiting for backfill 1 of ingest_stripe from 2025-03-04 to 2025-03-06" in second.said
        assert "Airflow runs one of a DAG at a time; this one goes on by itself" in second.said
        time.sleep(0.3)
        assert second.said.count("waiting for") == 1
        assert len(there.made) == 1
        there.finish()
        until(lambda: len(there.made) == 2)
        there.finish()
        first.join(20)
        second.join(20)
    assert (first.succeeded, second.succeeded) == (True, True)
    assert sorted(there.runs) == [f"2025-03-0{n}T00:00:00Z" for n in (4, 5, 6)] + [
        f"2025-05-0{n}T00:00:00Z" for n in (1, 2)
    ]


def test_the_same_command_again_rejoins_its_own() -> None:
    there = Backfills()
    with serving(there) as url:
        first = Terminal(url, MARCH)
        until(lambda: there.made)
        second = Terminal(url, MARCH)
        until(lambda: "3 days" in second.said)
        time.sleep(0.3)
        assert "waiting for" not in second.said
        there.finish()
        first.join(20)
        second.join(20)
    assert (first.succeeded, second.succeeded, len(there.made)) == (True, True, 1)


def test_what_the_other_one_has_loaded_meanwhile_is_not_loaded_again() -> None:
    there = Backfills()
    inside = Range("ingest_stripe", date(2025, 3, 5), date(2025, 3, 6), streams=("products",))
    there.runs["2025-03-05T00:00:00Z"] = "failed"
    with serving(there) as url:
        first = Terminal(url, MARCH)
        until(lambda: there.made)
        there.runs["2025-03-05T00:00:00Z"] = "failed"
        second = Terminal(url, inside)
        until(lambda: "waiting for" in second.said)
        there.runs["2025-03-05T00:00:00Z"] = "running"
        there.finish()
        first.join(20)
        second.join(20)
    assert (first.succeeded, second.succeeded, len(there.made)) == (True, True, 1)
