"""Rejects are replayed from the lake: settled by an appended row, never over what was observed later."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_load import Invoices, invoice, totals
from tests.support.airflow import airflow_cli
from tests.support.pipeline import bucket, empty, query, warehouse
from tests.support.world import World
from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.landing.lake import read_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.landing.plan import WorkItem
from tributary.ledger.replay import landed, replays
from tributary.warehouse.tables import ensure_tables

pytestmark = pytest.mark.emulators
LABELS = {"dag": "test"}


@pytest.fixture
def invoices(services: dict[str, str]) -> Invoices:
    """Invoices without their lines, whose contract says that a total is at most 5,000; nothing is open."""
    made = Invoices()
    contract(made, max=5000)
    ensure_tables(warehouse(), made.pipeline.contract, LABELS)
    empty("stripe_invoices")
    query("delete from ops.rejects where true; delete from ops.reject_resolutions where true;")
    return made


def contract(invoices: Invoices, *columns: str, **total: Any) -> None:
    """Give the stream a contract with few columns and no children; `total` is what it says of that column."""
    whole = load_contracts("stripe")["invoices"]
    few = [c for c in whole.columns if c.name in {"id", "created", "total", *columns}]
    chosen = tuple(c.model_copy(update=total if c.name == "total" else {}) for c in few)
    changed = whole.model_copy(update={"columns": chosen, "children": (), "unlisted": False})
    vars(changed).pop("tables", None)
    invoices.pipeline.contract = changed


def mend(invoices: Invoices) -> None:
    contract(invoices)


def planned(invoices: Invoices) -> list[WorkItem]:
    return replays(warehouse(), "stripe", "invoices", [invoices.pipeline.client], None, LABELS).items


def replay(invoices: Invoices) -> dict[str, Any]:
    """All that is open, in one load."""
    staged = []
    for item in planned(invoices):
        manifest = read_json(bucket(), manifest_name(landed(bucket(), item)), LandingManifest)
        assert manifest
        flat = invoices.pipeline.flatten(manifest)
        staged.append((invoices.pipeline.stage(flat), flat))
    counts = invoices.pipeline.replace(staged)["stripe_invoices"]
    return {name: counts[name] for name in ("received", "loaded", "unchanged", "superseded", "duplicate", "rejected")}


def open_keys() -> list[str | None]:
    return [row["record_key"] for row in query("select record_key from ops.open_rejects order by 1")]


def resolutions() -> dict[str | None, str]:
    return {row["record_key"]: row["resolution"] for row in query("select * from ops.reject_resolutions")}


def test_a_mended_contract_reads_what_was_set_aside(invoices: Invoices):
    invoices.load(invoice(1), invoice(2))
    invoices.load(invoice(1), invoice(2, total=9000), invoice(3, total=8000))
    assert open_keys() == ["in_2", "in_3"]
    mend(invoices)
    assert replay(invoices) == {
        "received": 3, "loaded": 2, "unchanged": 1, "superseded": 0, "duplicate": 0, "rejected": 0,
    }  # fmt: skip
    assert totals() == {"in_1": 1000, "in_2": 9000, "in_3": 8000}
    assert (open_keys(), resolutions()) == ([], {"in_2": "read", "in_3": "read"})
    assert query("select count(*) as n from ops.rejects") == [{"n": 2}], "nothing was changed or deleted"
    assert planned(invoices) == []


def test_a_replay_under_the_same_contract_leaves_them_open(invoices: Invoices):
    invoices.load(invoice(1, total=9000))
    assert replay(invoices)["rejected"] == 1
    assert (open_keys(), resolutions()) == (["in_1"], {})


def test_what_was_observed_later_stays(invoices: Invoices):
    early = datetime.now(UTC) - timedelta(hours=1)
    invoices.load(invoice(1, total=9000), invoice(2, total=8000), observed=early)
    invoices.load(invoice(1, total=5), axis="changed")
    assert open_keys() == ["in_2"], "a later answer that could be read settles the earlier one"
    mend(invoices)
    assert replay(invoices)["superseded"] == 1
    assert totals() == {"in_1": 5, "in_2": 8000}


@pytest.mark.parametrize("how", ["notice", "listing"])
def test_a_record_that_is_gone_by_now_is_not_revived(invoices: Invoices, how: str):
    early = datetime.now(UTC) - timedelta(hours=1)
    landing = invoices.land(invoice(1, total=9000), invoice(2, total=8000), observed=early)
    invoices.pipeline.load(landing)
    if how == "notice":
        invoices.load(axis="changed", gone=("in_1",))
    else:
        invoices.load(invoice(2, total=8000))
    assert (set(open_keys()), resolutions()) == ({"in_2"}, {"in_1": "gone"})
    # Its folder loaded once more, when it breaks its contract still.
    invoices.pipeline.load(landing)
    assert (set(open_keys()), resolutions()) == ({"in_2"}, {"in_1": "gone"})
    mend(invoices)
    replay(invoices)
    assert totals() == {"in_2": 8000}
    # The folder that both lie in, loaded again by hand.
    invoices.load(invoice(1, total=9000), invoice(2, total=8000), observed=early)
    assert totals() == {"in_2": 8000}


def test_an_older_reject_that_comes_late_is_settled_already(invoices: Invoices):
    invoices.load(invoice(1, total=5))
    invoices.load(invoice(1, total=9000), observed=datetime.now(UTC) - timedelta(hours=1))
    assert (open_keys(), resolutions()) == ([], {"in_1": "read"})


def test_another_reading_of_the_same_answer_is_no_version(invoices: Invoices):
    landing = invoices.land(invoice(1), invoice(2, total=9000))
    invoices.pipeline.load(landing)
    contract(invoices, "status")
    assert replay(invoices)["loaded"] == 2
    rows = query("select id, status from raw.stripe_invoices order by 1")
    assert rows == [{"id": "in_1", "status": "paid"}, {"id": "in_2", "status": "paid"}]
    assert query("select id from raw_history.stripe_invoices") == []


def test_landing_that_has_expired_says_how_to_read_the_window_again(invoices: Invoices):
    landing = invoices.land(invoice(1, total=9000))
    invoices.pipeline.load(landing)
    [item] = planned(invoices)
    bucket().blob(landing.parts[0].name).delete()
    with pytest.raises(RefusedError, match="Landing objects expire; read the window from"):
        landed(bucket(), item)
    for blob in bucket().list_blobs(prefix=f"{landing.folder}/"):
        blob.delete()
    with pytest.raises(RefusedError) as caught:
        landed(bucket(), item)
    assert "airflow dags trigger ingest_stripe --conf" in str(caught.value)
    assert '"window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-05T00:00:00Z"' in str(caught.value)


@pytest.mark.timeout(300)
def test_through_the_dag_without_asking_the_api(alone: dict[str, str], world: World, include: Path):
    """A stream's contract is broken, mended, and one Param of the trigger form reads what was set aside."""
    prices = include / "contracts" / "stripe" / "prices.yml"
    mended = prices.read_text()
    id_ = world.books("stripe", "prices")[0]["id"]
    empty("stripe_prices")
    environment = {**alone, "TRIBUTARY_INCLUDE_DIR": str(include)}

    def run(**conf: Any) -> str:
        stated = json.dumps({"streams": ["prices"], **conf})
        return airflow_cli(environment, "dags", "test", "ingest_stripe", "2025-01-09T12:00:00", "--conf", stated)

    prices.write_text(
        mended.replace("{name: unit_amount, type: INT64,", "{name: unit_amount, type: INT64, max: 99000000,")
    )
    world.change("stripe", "prices", id_, unit_amount=99_000_001)
    run(window_start="2024-07-01", window_end="2026-01-04", axis="created")
    assert query(f"select id from raw.stripe_prices where id = '{id_}'") == []
    prices.write_text(mended)
    before = len(world.requests("stripe"))
    said = run(replay=True)
    assert len(world.requests("stripe")) == before
    assert "open rejects in 1 landing folders, which are flattened again without asking the API" in said
    assert query(f"select unit_amount as n from raw.stripe_prices where id = '{id_}'") == [{"n": 99_000_001}]
    assert query("select record_key from ops.open_rejects where stream = 'prices'") == []


def test_many_folders_take_several_runs(invoices: Invoices, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tributary.ledger.replay.FOLDERS", 1)
    for number in (1, 2, 3):
        invoices.load(invoice(number, total=9000), axis="changed")
    mend(invoices)
    found = replays(warehouse(), "stripe", "invoices", [invoices.pipeline.client], None, LABELS)
    assert (len(found.items), found.rejects, found.left) == (1, 1, 2)
    for number in (1, 2, 3):
        replay(invoices)
        assert totals() == {f"in_{done}": 9000 for done in range(1, number + 1)}
    assert open_keys() == []
