"""Loads that meet: through a proxy that cancels overlapping transactions as BigQuery does."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tenacity import wait_random

from tests.conftest import variables
from tests.integration.test_load import CREATED, WINDOW, Invoices, invoice, totals
from tests.support.bigquery import BigQueryProxy, bigquery_proxy
from tests.support.pipeline import content, empty, query, warehouse
from tributary.contracts.loader import load_contracts
from tributary.erasure.suppressions import meet_loads
from tributary.warehouse import replace as module
from tributary.warehouse.protocol import ConflictError

pytestmark = pytest.mark.emulators

TABLES = ("raw.stripe_invoices", "raw.stripe_invoice_lines")


@pytest.fixture
def proxy(services: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQueryProxy]:
    empty("stripe_invoices", "stripe_invoice_lines")
    monkeypatch.setattr(module, "BACKOFF", wait_random(0, 1))
    with (
        bigquery_proxy(services["BIGQUERY_EMULATOR_HOST"]) as (address, proxy),
        variables({"BIGQUERY_EMULATOR_HOST": address}),
    ):
        yield proxy


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run them in threads that begin together; the first failure is raised."""
    begin = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        begin.wait(30)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def prepared(invoices: Invoices, *records: Any, **kwargs: Any) -> Callable[[], Any]:
    """The replace of these records, all that comes before it done."""
    manifest = invoices.pipeline.flatten(invoices.land(*records, **kwargs))
    staged = invoices.pipeline.stage(manifest)
    return lambda: invoices.pipeline.replace([(staged, manifest)])


@pytest.mark.parametrize("filled", [False, True], ids=["empty table", "filled table"])
def test_two_runs_of_one_window_at_once(proxy: BigQueryProxy, filled: bool, caplog: pytest.LogCaptureFixture) -> None:
    invoices = Invoices()
    records = [invoice(number) for number in range(1, 6)]
    if filled:
        invoices.load(*records[:4], invoice(9))
    loads = [prepared(invoices, *records), prepared(invoices, *records)]
    proxy.conflicts.hold = 0.3
    with caplog.at_level(logging.WARNING):
        first, second = at_once(*loads)
    assert set(proxy.conflicts.cancelled) == {"ml-prod-analytics.ops.fence_stripe_invoices"}
    assert "aborted due to concurrent update" in caplog.text
    assert totals() == {f"in_{number}": 1000 for number in range(1, 6)}
    assert query("select count(*) as n from raw.stripe_invoice_lines where _deleted_at is null") == [{"n": 10}]
    loaded = sorted(counts["stripe_invoices"]["loaded"] for counts in (first, second))
    assert loaded == ([0, 1] if filled else [0, 5])


def test_eight_chunks_of_one_table_beside_a_daily_run(proxy: BigQueryProxy) -> None:
    """Chunks of a backfill as runs of their own, and the feed, all at the same moment."""
    invoices = Invoices()
    invoices.load(invoice(1, total=1), invoice(80, total=1))
    day = 24 * 3600
    loads = []
    for chunk in range(8):
        record = invoice(chunk * 10 + 1, created=CREATED + chunk * day, total=500)
        start, end = (f"2026-01-{2 + chunk + offset:02d}T00:00:00Z" for offset in (0, 1))
        loads.append(prepared(invoices, record, window=(start, end)))
    loads.append(prepared(invoices, invoice(1, total=700), axis="changed", gone=("in_80",)))
    proxy.conflicts.hold = 0.05
    at_once(*loads)
    assert proxy.conflicts.cancelled, "nothing met: the test showed nothing"
    found = totals()
    assert found.pop("in_1") == 700, "the feed's observation is the latest"
    assert found == {f"in_{chunk * 10 + 1}": 500 for chunk in range(1, 8)}
    assert query("select count(*) as n from raw.stripe_invoices") == [{"n": 9}]


def test_a_load_that_meets_others_every_time_gives_up_and_has_loaded_nothing(
    proxy: BigQueryProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 3)
    invoices = Invoices()
    invoices.load(invoice(1))
    load = prepared(invoices, invoice(1, total=2))
    before = content(TABLES[0])
    proxy.cancel_all = True
    with pytest.raises(ConflictError, match="aborted due to concurrent update against table ml-prod-analytics:ops"):
        load()
    assert len(proxy.conflicts.cancelled) == 3
    proxy.cancel_all = False
    assert content(TABLES[0]) == before
    load()
    assert totals() == {"in_1": 2}


def test_a_load_whose_answer_was_lost_is_not_loaded_twice(proxy: BigQueryProxy) -> None:
    invoices = Invoices()
    load = prepared(invoices, invoice(1), invoice(2))
    proxy.conflicts.lose = 1
    counts = load()
    assert proxy.conflicts.lost == 1
    assert counts["stripe_invoices"]["loaded"] == 2
    assert query("select count(*) as n from raw.stripe_invoice_lines") == [{"n": 4}]
    assert content("raw_history.stripe_invoices") == []


def test_bounds_that_another_load_has_made_stale_are_looked_up_again(
    proxy: BigQueryProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record whose create date was edited lies in another partition. Both runs looked for it before either wrote."""
    invoices = Invoices()
    contract = invoices.pipeline.contract
    assert contract.time
    invoices.pipeline.contract = contract.model_copy(
        update={"time": contract.time.model_copy(update={"immutable": False})}
    )
    month = 31 * 24 * 3600
    first = prepared(invoices, invoice(1), axis="changed")
    second = prepared(invoices, invoice(1, created=CREATED + month), axis="changed")
    bounds = vars(module)["_bounds"]

    def bounds_then_the_other(*args: Any) -> str:
        monkeypatch.setattr(module, "_bounds", bounds)
        found: str = bounds(*args)
        first()
        return found

    monkeypatch.setattr(module, "_bounds", bounds_then_the_other)
    second()
    [row] = query("select id, _record_date, created from raw.stripe_invoices")
    assert str(row["_record_date"])[:10] == WINDOW[0][:8] + "02", "the partition is fixed when a record is first loaded"
    assert row["created"].month == 2


def test_a_load_that_began_before_an_erasure_begins_again(
    proxy: BigQueryProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it sees the list as it is by then."""
    invoices = Invoices()
    load = prepared(invoices, invoice(1))
    bounds = vars(module)["_bounds"]
    asked: list[str] = []

    def bounds_then_an_erasure(*args: Any) -> str:
        found: str = bounds(*args)
        if not asked:
            meet_loads(warehouse(), load_contracts("stripe").values(), {})
        asked.append(found)
        return found

    monkeypatch.setattr(module, "_bounds", bounds_then_an_erasure)
    load()
    assert len(asked) == 2
    assert totals() == {"in_1": 1000}


def test_stage_tables_are_made_to_expire(proxy: BigQueryProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the emulator goes, which forgets it: what BigQuery is asked for."""
    asked: list[dict[str, Any]] = []
    forward = proxy.forward

    def noted(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if method == "POST" and path.partition("?")[0].endswith("/datasets/raw_stage/tables"):
            asked.append(json.loads(body))
        return forward(method, path, headers, body)

    monkeypatch.setattr(proxy, "forward", noted)
    prepared(Invoices(), invoice(1, created=None))
    assert len(asked) == 1 + len(load_contracts("stripe")["invoices"].tables), "one for each table, and one for rejects"
    for table in asked:
        hours = (int(table["expirationTime"]) / 1000 - time.time()) / 3600
        assert 71 < hours < 73
