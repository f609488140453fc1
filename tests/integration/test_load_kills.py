"""Kill -9: a worker in each of its steps, the warehouse amid a load; and SIGTERM, which ends the job too."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import processes
from local.services import EMULATORS, port_is_taken
from local.settings import LocalSettings, on_free_ports
from local.stack import down, up
from tests.conftest import ROOT, variables
from tests.integration.test_load import Invoices, invoice
from tests.support.bigquery import bigquery_proxy
from tests.support.pipeline import Pipeline, bucket, content, empty, query
from tests.support.world import World
from tributary.errors import TributaryError
from tributary.landing.lake import read_json
from tributary.landing.manifest import Progress

pytestmark = pytest.mark.emulators

TABLES = ("raw.stripe_invoices", "raw.stripe_invoice_lines")
JOB = {"stream": "invoices", "start": "2024-07-01T00:00:00Z", "end": "2026-01-04T00:00:00Z"}


def worker(name: str, pause: str | None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.worker", json.dumps(JOB | {"name": name, "pause": pause})]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def last_line(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(wanted):
            return line
    raise AssertionError(f"the worker ended with {process.wait()} before it said {wanted}")


@pytest.fixture
def whole(world: World) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """What the tables hold when nobody is killed, and from how many pages; they are empty when the test begins."""
    empty("stripe_invoices", "stripe_invoice_lines", "stripe_invoice_discounts")
    Pipeline("stripe", "invoices").run(JOB["start"], JOB["end"], "created")
    found = {table: content(table) for table in TABLES}
    empty("stripe_invoices", "stripe_invoice_lines", "stripe_invoice_discounts")
    assert len(found[TABLES[0]]) > 100, "too few to be in the middle of anything"
    pages = listings(world)
    world.reset()
    return found, pages


def listings(world: World) -> int:
    return len([request for request in world.requests("stripe") if request["path"] == "/v1/invoices"])


@pytest.mark.parametrize("step", ["extract", "flatten", "stage", "replace"])
def test_a_worker_is_killed(step: str, whole: tuple[dict[str, list[dict[str, Any]]], int], world: World) -> None:
    rows, pages = whole
    name = f"killed{step}{time.time_ns()}"
    first = worker(name, step)
    try:
        last_line(first, "paused")
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(30)
    if step == "extract":
        progress = read_json(bucket(), f"landing/stripe/invoices/acme/{name}/progress.json", Progress)
        assert progress and len(progress.parts) == 1, "it died with two parts written and one of them noted"
    if step != "replace":
        assert content(TABLES[0]) == []
    before = listings(world)
    second = worker(name, None)
    counts = json.loads(last_line(second, "{"))
    assert second.wait(60) == 0
    listed = listings(world) - before
    assert listed in (range(1, pages) if step == "extract" else [0]), f"{before}, then {listed} of {pages} pages"
    assert counts["stripe_invoices"]["loaded"] == len(rows[TABLES[0]])
    volatile = {"_valid_from"}  # it was observed in another run
    for table in TABLES:
        found = content(table)
        assert [strip(row, volatile) for row in found] == [strip(row, volatile) for row in rows[table]]
    assert query(f"select count(*) as n from ops.ledger where load_id = '{name}'") == [{"n": len(counts)}]


def strip(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


@pytest.fixture
def own_stack(services: dict[str, str], tmp_path: Path) -> Iterator[LocalSettings]:
    """Emulators that the test may kill; the simulators are the shared ones."""
    own = on_free_ports(tmp_path)
    environment = up(own, EMULATORS)
    kept = {name: environment[name] for name in ("BIGQUERY_EMULATOR_HOST", "STORAGE_EMULATOR_HOST")}
    try:
        with variables(kept):
            yield own
    finally:
        down(own)


def sums() -> dict[str, int]:
    """What the tables hold at one moment: the load's retry may be at work already."""
    [row] = query(
        f"select (select sum(total) from {TABLES[0]}) as invoices, (select sum(amount) from {TABLES[1]}) as `lines`, "
        "(select count(distinct load_id) from ops.ledger) as loads"
    )
    return row


def test_the_warehouse_is_killed_in_the_middle_of_a_load(own_stack: LocalSettings) -> None:
    """All of a load or nothing of it is there when it is back, and the load's own retry makes it all."""
    invoices = Invoices()
    records = [invoice(number) for number in range(1, 9)]
    invoices.load(*records)
    begun = time.monotonic()
    invoices.load(*[invoice(number, total=2000) for number in range(1, 9)])
    took = time.monotonic() - begun
    for number, moment in enumerate((0.3, 0.5, 0.8), start=3):
        manifest = invoices.pipeline.flatten(invoices.land(*[invoice(n, total=number * 1000) for n in range(1, 9)]))
        staged = invoices.pipeline.stage(manifest)
        before = sums()
        load = threading.Thread(
            target=invoices.pipeline.replace, args=([(staged, manifest)], f"killed{number}"), daemon=True
        )
        load.start()
        time.sleep(moment * took)
        record = processes.recorded(own_stack.run_dir, "bigquery")
        assert record
        os.kill(record.pid, signal.SIGKILL)
        free_again = time.monotonic() + 20
        while processes.is_alive(record) or port_is_taken(own_stack.host, own_stack.bigquery_port):
            assert time.monotonic() < free_again
            time.sleep(0.05)
        up(own_stack, EMULATORS)
        after = {"invoices": 8 * number * 1000, "lines": 8 * number * 1000, "loads": before["loads"] + 1}
        assert sums() in (before, after), "half a load"
        load.join(120)
        assert not load.is_alive()
        assert sums() == after


def test_a_task_that_is_ended_takes_its_job_along(services: dict[str, str]) -> None:
    from tributary.operators.ingest.partition_replace import PartitionReplaceOperator

    empty("stripe_invoices", "stripe_invoice_lines")
    invoices = Invoices()
    invoices.load(invoice(1))
    manifest = invoices.pipeline.flatten(invoices.land(invoice(1, total=2)))
    staged = invoices.pipeline.stage(manifest)
    operator = PartitionReplaceOperator(
        task_id="replace", source="stripe", stream="invoices", planned="", stage="", staged=[]
    )
    failures: list[BaseException] = []

    def run() -> None:
        from tributary.warehouse.replace import replace

        try:
            replace(
                warehouse=operator.warehouse(),
                bucket=bucket(),
                contract=invoices.pipeline.contract,
                staged=[(staged, manifest)],
                load_id=f"ended{time.time_ns()}",
                attempt=1,
                dag_id="test",
                run_id="test",
                labels={},
            )
        except TributaryError as error:
            failures.append(error)

    with (
        bigquery_proxy(services["BIGQUERY_EMULATOR_HOST"]) as (address, proxy),
        variables({"BIGQUERY_EMULATOR_HOST": address}),
    ):
        proxy.park = True
        task = threading.Thread(target=run, daemon=True)
        task.start()
        deadline = time.monotonic() + 120
        while not (operator._warehouse and operator._warehouse._running and proxy.parked):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        operator.on_kill()
        task.join(120)
    assert list(proxy.parked.values()) == [True]
    assert "cancelled" in str(failures)
    assert query("select total from raw.stripe_invoices") == [{"total": 1000}]
