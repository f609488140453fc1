"""The load transaction on the emulators: every count, every guard, nothing lost."""

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.contracts import changed
from tests.support.pipeline import Pipeline, bucket, content, empty, query, warehouse
from tributary.builds.record import BEGUN, DONE, record, touched
from tributary.builds.scope import MARGIN, Build
from tributary.errors import RefusedError
from tributary.landing.lake import LineWriter, write_json
from tributary.landing.manifest import LandingManifest, landing_folder, manifest_name
from tributary.sources.base import Page
from tributary.windows import Window

pytestmark = pytest.mark.emulators

WINDOW = ("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z")
CREATED = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())
NAMES = ("received", "loaded", "unchanged", "superseded", "duplicate", "rejected", "gone", "tombstoned")


class Invoices:
    """Lands handmade invoices, so that each test says exactly what the API answered and when."""

    def __init__(self) -> None:
        self.pipeline = Pipeline("stripe", "invoices")
        self._number = 0
        #: The extraction that was landed last.
        self.last = ""
        self._clock = datetime.now(UTC)
        self._base = self._clock.strftime("%H%M%S%f")

    def land(
        self,
        *records: Any,
        axis: str = "created",
        gone: tuple[str, ...] = (),
        observed: datetime | None = None,
        window: tuple[str, str] = WINDOW,
    ) -> LandingManifest:
        self._number += 1
        self._clock += timedelta(seconds=1)
        when = observed or self._clock
        item = self.pipeline.item(*window, axis)
        name = self.last = f"handmade{self._base}{self._number}"
        folder = landing_folder(item, name)
        writer = LineWriter(bucket(), f"{folder}/pages")
        body = msgspec.Raw(json.dumps({"data": records}).encode())
        writer.write(msgspec.json.encode(Page(observed_at=when, body=body, items="data")))
        for id_ in gone:
            writer.write(
                msgspec.json.encode(
                    Page(observed_at=when, body=msgspec.Raw(json.dumps({"id": id_}).encode()), gone=True)
                )
            )
        part = writer.close()
        assert part
        manifest = LandingManifest(
            extraction_id=name,
            folder=folder,
            item=item,
            axis=axis,
            axis_reason="test",
            observed_from=when,
            observed_to=when,
            api_version="test",
            contract_version=1,
            records=len(records),
            children=0,
            gone=len(gone),
            parts=[part],
            requests={},
        )
        write_json(bucket(), manifest_name(folder), manifest)
        return manifest

    def load(self, *records: Any, **kwargs: Any) -> dict[str, int]:
        """Land and load; the counts of the invoices."""
        row = self.pipeline.load(self.land(*records, **kwargs))["stripe_invoices"]
        return {name: row[name] for name in NAMES if row[name]}


@pytest.fixture
def invoices(services: dict[str, str]) -> Invoices:
    empty("stripe_invoices", "stripe_invoice_lines")
    return Invoices()


def invoice(number: int, total: int = 1000, lines: int = 2, **fields: Any) -> dict[str, Any]:
    data = [
        {"id": f"il_{number}_{n}", "object": "line_item", "amount": total // lines, "currency": "usd"}
        for n in range(lines)
    ]
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "created": CREATED + number,
        "currency": "usd",
        "customer": f"cus_{number}",
        "customer_email": "someone@example.test",
        "status": "paid",
        "total": total,
        "amount_due": total,
        "amount_paid": total,
        "amount_remaining": 0,
        "livemode": False,
        "lines": {"object": "list", "data": data, "has_more": False, "url": "/v1/x", "total_count": lines},
        **fields,
    }


def totals() -> dict[str, int | None]:
    """Totals of the live invoices."""
    return {
        row["id"]: row["total"] for row in query("select id, total from raw.stripe_invoices where _deleted_at is null")
    }


def test_new_rows_and_their_lines_with_the_parents_keys(invoices):
    assert invoices.load(invoice(1), invoice(2, lines=3)) == {"received": 2, "loaded": 2}
    lines = query(
        "select invoice_id, customer_id, customer_email, currency, client_id from raw.stripe_invoice_lines order by 1"
    )
    assert [line["invoice_id"] for line in lines] == ["in_1"] * 2 + ["in_2"] * 3
    assert {line["customer_email"] for line in lines} == {"someone@example.test"}
    assert {line["customer_id"] for line in lines} == {"cus_1", "cus_2"}


def test_a_rerun_changes_nothing_but_the_columns_of_the_run(invoices):
    records = [invoice(1), invoice(2, lines=3), invoice(3, newfield={"a": 1})]
    invoices.load(*records)
    before = {table: content(table) for table in ("raw.stripe_invoices", "raw.stripe_invoice_lines")}
    for _ in range(2):
        assert invoices.load(*records) == {"received": 3, "unchanged": 3}
    assert {table: content(table) for table in before} == before
    assert content("raw_history.stripe_invoices") == []


def test_a_change_keeps_the_former_version_in_history(invoices):
    invoices.load(invoice(1, total=1000), invoice(2))
    assert invoices.load(invoice(1, total=700), invoice(2)) == {"received": 2, "loaded": 1, "unchanged": 1}
    assert totals() == {"in_1": 700, "in_2": 1000}
    [former] = query("select id, total, _valid_from, _valid_to from raw_history.stripe_invoices")
    [current] = query("select _valid_from from raw.stripe_invoices where id = 'in_1'")
    assert (former["id"], former["total"]) == ("in_1", 1000)
    assert former["_valid_from"] < former["_valid_to"] == current["_valid_from"]


def test_what_a_listing_no_longer_returns_becomes_a_tombstone_with_its_lines(invoices):
    invoices.load(*map(invoice, range(1, 5)))
    assert invoices.load(*map(invoice, range(1, 4))) == {"received": 3, "unchanged": 3, "tombstoned": 1}
    assert set(totals()) == {"in_1", "in_2", "in_3"}
    gone = query(
        "select count(*) as n, countif(_deleted_at is not null) as deleted "
        "from raw.stripe_invoice_lines where invoice_id = 'in_4'"
    )
    assert gone == [{"n": 2, "deleted": 2}]
    before = content("raw.stripe_invoices")
    assert invoices.load(*map(invoice, range(1, 4))) == {"received": 3, "unchanged": 3}
    assert content("raw.stripe_invoices") == before, "a second listing moved the tombstone"


def test_what_comes_back_lives_again(invoices):
    invoices.load(invoice(1), invoice(2))
    invoices.load(invoice(1))
    assert invoices.load(invoice(1), invoice(2)) == {"received": 2, "loaded": 1, "unchanged": 1}
    assert set(totals()) == {"in_1", "in_2"}
    assert query("select countif(_deleted_at is not null) as n from raw.stripe_invoice_lines") == [{"n": 0}]


def test_a_change_feed_deletes_only_what_it_was_told(invoices):
    invoices.load(invoice(1), invoice(2), invoice(3))
    counts = invoices.load(invoice(2, total=5), axis="changed", gone=("in_1", "in_unheard_of"))
    assert counts == {"received": 1, "loaded": 1, "gone": 2, "tombstoned": 1}
    assert totals() == {"in_2": 5, "in_3": 1000}


def test_an_older_observation_never_wins(invoices):
    early = datetime.now(UTC) - timedelta(hours=1)
    invoices.load(invoice(1, total=2000), invoice(2))
    before = {table: content(table) for table in ("raw.stripe_invoices", "raw.stripe_invoice_lines")}
    counts = invoices.load(invoice(1, total=1, lines=1), observed=early)
    assert counts == {"received": 1, "superseded": 1}, "an old listing may neither overwrite nor tombstone"
    assert {table: content(table) for table in before} == before


def test_a_page_that_comes_twice_is_loaded_once(invoices):
    assert invoices.load(invoice(1), invoice(2), invoice(1)) == {"received": 3, "loaded": 2, "duplicate": 1}
    assert query("select count(*) as n from raw.stripe_invoice_lines") == [{"n": 4}]


def test_lines_are_replaced_whole_and_vanished_ones_go_to_history(invoices):
    invoices.load(invoice(1, lines=4))
    changed = invoice(1, lines=4)
    changed["lines"]["data"] = [*changed["lines"]["data"][:2], {**changed["lines"]["data"][2], "amount": 1}]
    invoices.load(changed)
    lines = query("select id, amount from raw.stripe_invoice_lines order by id")
    assert [(line["id"], line["amount"]) for line in lines] == [("il_1_0", 250), ("il_1_1", 250), ("il_1_2", 1)]
    assert {row["id"] for row in query("select id from raw_history.stripe_invoice_lines")} == {"il_1_2", "il_1_3"}


def test_a_part_that_is_gone_touches_its_partition(invoices):
    longer = invoice(1, lines=4)
    invoices.load(longer)
    shorter = copy.deepcopy(longer)
    shorter["lines"] |= {"data": longer["lines"]["data"][:3], "total_count": 3}
    invoices.load(shorter)
    rows = query(
        "select table_name, partitions from ops.ledger where table_name like 'stripe_invoice%' order by loaded_at"
    )
    latest = {row["table_name"]: row["partitions"] for row in rows}
    assert latest["stripe_invoices"] == []
    assert latest["stripe_invoice_lines"] == [date(2026, 1, 2)]


def test_a_record_that_breaks_its_contract_is_set_aside_and_keeps_its_last_good_row(invoices):
    invoices.load(invoice(1), invoice(2))
    broken = invoice(2, total=5)
    broken["created"] = "not a date"
    assert invoices.load(invoice(1), broken) == {"received": 2, "unchanged": 1, "rejected": 1}
    assert totals() == {"in_1": 1000, "in_2": 1000}
    [reject] = query("select * from ops.rejects where record_key = 'in_2' order by rejected_at desc limit 1")
    assert (reject["reason"], reject["column_path"], reject["landing_item"]) == ("type", "created", 2)
    assert "not a date" not in str(reject)


def test_a_value_outside_its_declared_range_is_a_reject_and_no_row(invoices, tmp_path):
    declared = {"name": "total", "type": "INT64", "required": True, "min": -100_000}
    invoices.pipeline.contract = changed(tmp_path, declared)
    strange = [
        invoice(2, total=-500_000, amount_paid=0),
        invoice(3, created=-62_135_596_800),
        invoice(4, created=568_971_820_800),
    ]
    assert invoices.load(invoice(1, total=-100_000, amount_paid=0), *strange) == {
        "received": 4,
        "loaded": 1,
        "rejected": 3,
    }
    assert totals() == {"in_1": -100_000}
    rejects = query("select * from ops.rejects order by rejected_at desc, record_key limit 3")
    assert [(row["record_key"], row["reason"], row["column_path"], row["detail"]) for row in rejects] == [
        ("in_2", "range", "total", "outside [-100000.0, None]"),
        ("in_3", "range", "created", "outside [2000-01-01, 2099-12-31]"),
        ("in_4", "type", "created", "expected TIMESTAMP, found integer"),
    ]


def test_an_unknown_field_is_kept_and_reported(invoices):
    invoices.load(invoice(1, brand_new={"deep": [1, 2]}))
    [row] = query("select to_json_string(_extra) as extra from raw.stripe_invoices")
    assert json.loads(row["extra"]) == {"brand_new": {"deep": [1, 2]}}
    [drift] = query(
        "select kind, column_path, found, records from ops.schema_drift where column_path = 'brand_new' limit 1"
    )
    assert drift == {"kind": "unknown", "column_path": "brand_new", "found": "object", "records": 1}


def test_too_many_rejects_load_nothing(invoices):
    invoices.load(invoice(1))
    broken = [invoice(number, created=None) for number in range(2, 30)]
    with pytest.raises(RefusedError, match="28 of 29 records break the contract, more than its limit"):
        invoices.load(invoice(1, total=1), *broken)
    assert totals() == {"in_1": 1000}


def test_too_many_tombstones_load_nothing(invoices):
    invoices.load(*map(invoice, range(1, 31)))
    with pytest.raises(
        RefusedError, match=r"stripe_invoices, client acme, window .*: 29 of 30 records are no longer listed"
    ):
        invoices.load(invoice(1, total=1))
    assert len(totals()) == 30
    assert totals()["in_1"] == 1000


def test_the_largest_shares_are_the_contracts_to_say(invoices, tmp_path):
    """Up to ten are no outage, whatever the share."""
    invoices.load(*map(invoice, range(1, 31)))
    ten = [invoice(number, created=None) for number in range(1, 11)]
    assert invoices.load(*ten, axis="changed") == {"received": 10, "rejected": 10}
    assert invoices.load(*map(invoice, range(1, 21))) == {"received": 20, "unchanged": 20, "tombstoned": 10}
    invoices.pipeline.contract = changed(tmp_path, limits={"rejects": 0.5, "tombstones": 0.5})
    broken = [invoice(number, created=None) for number in range(1, 12)]
    with pytest.raises(RefusedError, match=r"11 of 11 records break .* its limit of 50.0%: created \(missing\) in 11;"):
        invoices.load(*broken, axis="changed")
    with pytest.raises(RefusedError, match=r"11 of 20 records are no longer listed, more than the limit of 0.5"):
        invoices.load(*map(invoice, range(1, 10)))
    invoices.pipeline.contract = changed(tmp_path, limits={"rejects": 1, "tombstones": 1})
    assert invoices.load(*broken, axis="changed") == {"received": 11, "rejected": 11}
    assert invoices.load(*map(invoice, range(1, 10)))["tombstoned"] == 11


def test_a_row_that_vanished_from_the_stage_table_fails_the_load_with_both_numbers(invoices):
    invoices.load(invoice(1))
    manifest = invoices.pipeline.flatten(invoices.land(invoice(1, total=1), invoice(2)))
    staged = invoices.pipeline.stage(manifest)
    query(f"delete from {staged.tables['stripe_invoice_lines']} where id = 'il_2_0'")
    with pytest.raises(
        RefusedError, match=r"stripe_invoice_lines, client acme, window .* has 3 rows, expected 4; nothing was loaded"
    ):
        invoices.pipeline.replace([(staged, manifest)])
    assert totals() == {"in_1": 1000}


def test_a_landing_folder_that_lost_a_record_is_refused(invoices):
    invoices.load(invoice(1), invoice(2))
    landing = invoices.land(invoice(1))
    with pytest.raises(
        RefusedError, match=r"stripe.invoices for client acme, .* holds 1 records, expected 2; nothing was loaded"
    ):
        invoices.pipeline.flatten(msgspec.structs.replace(landing, records=2))
    cut = msgspec.structs.replace(landing, parts=[msgspec.structs.replace(landing.parts[0], lines=3)])
    with pytest.raises(RefusedError, match=r"holds 1 pages, expected 3"):
        invoices.pipeline.flatten(cut)
    assert set(totals()) == {"in_1", "in_2"}


def test_two_attempts_of_one_load_at_once_are_one_load(invoices, monkeypatch):
    """The second attempt looked into the ledger before the first was committed: the script itself looks again."""
    from tributary.warehouse import replace as module

    manifest = invoices.pipeline.flatten(invoices.land(invoice(1)))
    staged = invoices.pipeline.stage(manifest)
    invoices.pipeline.replace([(staged, manifest)], load_id="race")
    recorded = vars(module)["_recorded"]
    nothing_yet: list[list[Any]] = [[]]
    answers = iter(nothing_yet)
    monkeypatch.setattr(module, "_recorded", lambda *args: next(answers, None) or recorded(*args))
    again = invoices.pipeline.replace([(staged, manifest)], load_id="race")
    assert again["stripe_invoices"]["loaded"] == 1
    assert query("select count(*) as n from ops.ledger where load_id = 'race'") == [{"n": 3}]


def test_a_retry_after_a_lost_answer_does_not_load_twice(invoices):
    manifest = invoices.pipeline.flatten(invoices.land(invoice(1)))
    staged = invoices.pipeline.stage(manifest)
    first = invoices.pipeline.replace([(staged, manifest)], load_id="lost")
    again = invoices.pipeline.replace([(staged, manifest)], load_id="lost")
    assert first == again
    assert query("select count(*) as n from ops.ledger where load_id = 'lost'") == [{"n": 3}]


def test_chunks_of_one_run_are_loaded_together_and_counted_apart(invoices):
    pipeline = invoices.pipeline
    manifests = [
        pipeline.flatten(invoices.land(invoice(1), invoice(2))),
        pipeline.flatten(invoices.land(invoice(2, total=9), invoice(3))),
    ]
    chunks = [(pipeline.stage(manifest), manifest) for manifest in manifests]
    pipeline.replace(chunks, load_id="chunks")
    rows = query(
        "select received, loaded, duplicate from ops.ledger "
        "where load_id = 'chunks' and table_name = 'stripe_invoices' order by observed_from"
    )
    assert [(row["received"], row["loaded"], row["duplicate"]) for row in rows] == [(2, 1, 1), (2, 2, 0)]
    assert totals() == {"in_1": 1000, "in_2": 9, "in_3": 1000}


def test_clients_do_not_touch_each_other(invoices):
    invoices.load(invoice(1), invoice(2))
    other = Invoices()
    other.pipeline.client = other.pipeline.client.model_copy(update={"client_id": "other"})
    other.load(copy.deepcopy(invoice(1, total=7)))
    rows = query("select client_id, id, total from raw.stripe_invoices where _deleted_at is null order by 1, 2")
    assert [(row["client_id"], row["id"], row["total"]) for row in rows] == [
        ("acme", "in_1", 1000),
        ("acme", "in_2", 1000),
        ("other", "in_1", 7),
    ]


def test_the_ledger_knows_what_a_build_has_to_build(invoices):
    """From one build to the next: the months that loads touched, or everything when that can't be said."""
    query("create schema if not exists staging")

    def begin(build: Build) -> dict[str, list[str]] | None:
        months = touched(warehouse(), "test", build, {})
        enter(BEGUN, replace(build, whole=months is None))
        return months

    def end(build: Build) -> None:
        query(
            f"create or replace table staging.int_as_of as select timestamp '{build.known_at.isoformat()}' as known_at"
        )
        enter(DONE, replace(build, done=True))

    def enter(kind: str, build: Build) -> None:
        window = Window(build.as_of - timedelta(days=1), build.as_of)
        name = f"{kind}{build.known_at}"
        record(
            warehouse(),
            name="test",
            kind=kind,
            window=window,
            build=build,
            load_id=name,
            dag_id="",
            run_id="",
            labels={},
        )

    def at(minutes: int, project: str = "sql") -> Build:
        # an hour ahead, as a build counts what was loaded in the hour before it once more
        moment = datetime.now(UTC) + MARGIN + timedelta(minutes=minutes)
        return Build(as_of=moment, known_at=moment, project=project)

    try:
        invoices.load(invoice(1), invoice(2))
        first = at(0)
        assert begin(first) is None
        end(first)
        invoices.load(invoice(1), invoice(2, total=7), invoice(3, lines=1))
        second = at(1)
        assert begin(second) == {"stripe_invoices": ["2026-01-01"], "stripe_invoice_lines": ["2026-01-01"]}
        end(second)
        assert begin(at(2, project="changed sql")) is None
        assert begin(at(3)) is None, "a build of everything was begun and did not end"
        end(at(4))
        assert begin(at(5)) == {}
        later = "timestamp_add(current_timestamp(), interval 3 hour)"
        query(f"insert into ops.schema_drift (kind, records, run_id, seen_at) values ('added', 2, 'test', {later})")
        assert begin(at(6)) is None, "a column was filled in rows of every month"
    finally:
        query("delete from ops.schema_drift where run_id = 'test'")
        query("delete from ops.ledger where stream = 'test'")
        query("drop table if exists staging.int_as_of")


def test_a_record_that_two_listings_of_one_load_miss_is_gone_once(invoices: Invoices):
    invoices.load(invoice(1), invoice(2))
    flat = [invoices.pipeline.flatten(invoices.land(invoice(2))) for _ in range(2)]
    invoices.pipeline.replace([(invoices.pipeline.stage(one), one) for one in flat], load_id="overlapping")
    counted = (
        "select sum(tombstoned) as n from ops.ledger where load_id = 'overlapping' and table_name = 'stripe_invoices'"
    )
    assert query(counted) == [{"n": 1}]
    gone = "select id, _valid_to from raw_history.stripe_invoices where id = 'in_1'"
    assert len(query(gone)) == 1, "one version ended, at the first of the two"
    assert query("select id from raw.stripe_invoices where _deleted_at is not null") == [{"id": "in_1"}]
