"""A contract that changed, on a table that is there: the table follows where nothing can be lost, and says so."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_load import Invoices, invoice
from tests.integration.test_load_integrity import loses
from tests.support.bigquery import BigQueryProxy
from tests.support.contracts import changed
from tests.support.pipeline import query, warehouse
from tributary.errors import RefusedError
from tributary.hooks.warehouse import WarehouseHook
from tributary.warehouse import evolve as module
from tributary.warehouse.schema import sql_type

pytestmark = pytest.mark.emulators

TABLES = ("raw.stripe_invoices", "raw_history.stripe_invoices", "raw.stripe_invoice_lines")


@pytest.fixture
def invoices(services: dict[str, str]) -> Invoices:
    """On tables of its own, made by the contract of this repository."""
    forget()
    return Invoices()


@pytest.fixture(autouse=True)
def as_before(services: dict[str, str]) -> Any:
    yield
    forget()


def forget() -> None:
    for table in ("stripe_invoices", "stripe_invoice_lines", "stripe_invoice_discounts"):
        for name in (f"raw.{table}", f"raw_history.{table}"):
            query(f"drop table if exists {name}")


def extra(table: str = "raw.stripe_invoices") -> dict[str, Any]:
    rows = query(f"select id, to_json_string(_extra) as extra from {table}")
    return {row["id"]: json.loads(row["extra"]) if row["extra"] else None for row in rows}


def evolved(name: str) -> list[tuple[Any, ...]]:
    rows = query(
        "select kind, found, records, table_name from ops.schema_drift "
        f"where column_path = '{name}' and kind in ('added', 'widened')"
    )
    return sorted(tuple(row.values()) for row in rows)


def test_a_new_column_is_filled_from_what_was_kept(invoices: Invoices, tmp_path: Path) -> None:
    """In every row that is there, history too; typed as flattening types it; once, and what is left stays."""
    invoices.load(
        invoice(1, bonus="1,234.50", shiny={"at": 1767225600, "color": "red"}),
        invoice(2, bonus="many", shiny={"at": 1767225601}),
        invoice(3),
    )
    invoices.load(invoice(1, bonus="7", total=9), invoice(2, bonus="many", shiny={"at": 1767225601}), invoice(3))
    invoices.pipeline.contract = changed(
        tmp_path,
        {"name": "bonus", "type": "NUMERIC"},
        {"name": "shiny_at", "type": "TIMESTAMP", "path": "shiny.at"},
    )
    counts = invoices.load(invoice(4, bonus="0.5"), axis="changed")
    assert counts == {"received": 1, "loaded": 1}
    rows = query(
        "select id, cast(bonus as float64) as bonus, unix_seconds(shiny_at) as s from raw.stripe_invoices order by id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("in_1", 7, None),
        ("in_2", None, 1767225601),
        ("in_3", None, None),
        ("in_4", 0.5, None),
    ]
    assert extra() == {"in_1": None, "in_2": {"bonus": "many"}, "in_3": None, "in_4": None}
    assert query(
        "select cast(bonus as float64) as b, unix_seconds(shiny_at) as a from raw_history.stripe_invoices"
    ) == [{"b": 1234.5, "a": 1767225600}]
    assert extra("raw_history.stripe_invoices") == {"in_1": {"shiny.color": "red"}}
    assert evolved("bonus") == [
        ("added", "NUMERIC", 1, "raw_history.stripe_invoices"),
        ("added", "NUMERIC", 2, "raw.stripe_invoices"),
    ]
    assert warehouse().columns("raw.stripe_invoices")["bonus"]["description"] == "Declared by a test."
    # The same records again, read under the new contract, say the same.
    filled = query("select id, bonus, shiny_at, to_json_string(_extra) as e from raw.stripe_invoices order by id")
    invoices.load(invoice(1, bonus="7", total=9), invoice(2, bonus="many", shiny={"at": 1767225601}), axis="changed")
    assert (
        query("select id, bonus, shiny_at, to_json_string(_extra) as e from raw.stripe_invoices order by id") == filled
    )


RULED = [
    {"name": "nickname", "type": "STRING", "pii": "name", "rule": "hash"},
    {"name": "diagnosis", "type": "STRING", "path": "health.diagnosis", "pii": "free_text", "rule": "drop"},
]


def test_what_a_rule_forbids_does_not_stay_in_extra(invoices: Invoices, tmp_path: Path) -> None:
    """Neither in rows of former versions, nor where it did not have the column's form; what is beside it stays."""
    clear: dict[str, Any] = {"nickname": "Jane", "health": {"diagnosis": "gout", "insured": True}}
    records = [invoice(1, **clear), invoice(2, nickname={"of": "Jane"}, health="gout"), invoice(3, other="kept")]
    invoices.load(*records)
    invoices.load(invoice(1, total=9, **clear), *records[1:])
    invoices.pipeline.contract = changed(tmp_path, *RULED)
    invoices.load(invoice(4, nickname="Jane"), axis="changed")
    stored = json.dumps([query(f"select * from {table}") for table in TABLES], default=str)
    assert not [word for word in ("Jane", "gout") if word in stored]
    beside = {"health.insured": True}
    assert extra() == {"in_1": beside, "in_2": None, "in_3": {"other": "kept"}, "in_4": None}
    assert extra("raw_history.stripe_invoices") == {"in_1": beside}
    rows = query("select id, nickname, diagnosis from raw.stripe_invoices order by id")
    assert [row["id"] for row in rows if row["nickname"]] == ["in_4"]
    # Read again, it is in the column as the rule has it.
    invoices.load(invoice(1, total=9, **clear), axis="changed")
    [first, fourth] = query("select nickname, diagnosis from raw.stripe_invoices where nickname is not null")
    assert first == fourth
    assert len(first["nickname"]) == 64


def test_rows_that_fill_a_column_are_counted(
    invoices: Invoices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoices.load(invoice(1, bonus=5))
    invoices.pipeline.contract = changed(tmp_path, {"name": "bonus", "type": "INT64"})
    with monkeypatch.context() as losing:
        losing.setattr(WarehouseHook, "load", loses("_extra"))
        said = r"raw.stripe_invoices, filling bonus .* brought 0 rows, expected 1; nothing was loaded. Clear"
        with pytest.raises(RefusedError, match=said):
            invoices.load(invoice(2), axis="changed")
    invoices.load(invoice(2), axis="changed")
    assert query("select bonus from raw.stripe_invoices where id = 'in_1'") == [{"bonus": 5}]


def test_rows_that_fill_a_column_and_are_refused_say_so(
    invoices: Invoices, proxy: BigQueryProxy, tmp_path: Path
) -> None:
    invoices.load(invoice(1, bonus="beyond"))
    invoices.pipeline.contract = changed(tmp_path, {"name": "bonus", "type": "STRING"})
    proxy.refuses = lambda line: b"beyond" in line
    said = r"raw.stripe_invoices, filling bonus .* refused 1 .* of 1 rows; nothing was loaded.*clear the flatten"
    with pytest.raises(RefusedError, match=said) as refused:
        invoices.load(invoice(2), axis="changed")
    assert "beyond" not in str(refused.value)
    assert query("select id from raw.stripe_invoices") == [{"id": "in_1"}]


def test_a_crash_in_between_is_made_good_by_the_next_load(
    invoices: Invoices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoices.load(invoice(1, bonus=5))
    invoices.pipeline.contract = changed(tmp_path, {"name": "bonus", "type": "INT64"})
    with monkeypatch.context() as dying:
        dying.setattr(module, "_fill", lambda *given: 1 / 0 if given[3] == "raw.stripe_invoices" else 0)
        with pytest.raises(ZeroDivisionError):
            invoices.load(invoice(2), axis="changed")
    assert query("select bonus from raw.stripe_invoices where bonus is not null") == []
    invoices.load(invoice(2), axis="changed")
    assert query("select id, bonus from raw.stripe_invoices order by id") == [
        {"id": "in_1", "bonus": 5},
        {"id": "in_2", "bonus": None},
    ]


def test_a_wider_type_keeps_what_is_there_and_takes_in_what_did_not_fit(invoices: Invoices, tmp_path: Path) -> None:
    """Each of the four; the value that was too exact for the former type comes out of `_extra`."""
    narrow = [
        {"name": "amount_shipping", "type": "INT64"},
        {"name": "starting_balance", "type": "INT64"},
        {"name": "ending_balance", "type": "INT64"},
        {"name": "amount_overpaid", "type": "NUMERIC"},
    ]
    wide = dict(
        zip((column["name"] for column in narrow), ("NUMERIC", "BIGNUMERIC", "FLOAT64", "BIGNUMERIC"), strict=True)
    )
    invoices.pipeline.contract = changed(tmp_path, *narrow)
    values: dict[str, Any] = {
        "amount_shipping": 2**62,
        "starting_balance": 7,
        "ending_balance": 2**53,
        "amount_overpaid": "0.000000001",
    }
    invoices.load(invoice(1, **values), invoice(2, amount_shipping="0.5"))
    invoices.pipeline.contract = changed(tmp_path, *({"name": name, "type": type_} for name, type_ in wide.items()))
    invoices.load(invoice(3, starting_balance="0.0000000001", ending_balance=0.25), axis="changed")
    have = warehouse().columns("raw_history.stripe_invoices") | warehouse().columns("raw.stripe_invoices")
    assert {name: sql_type(have[name]["type"]) for name in wide} == wide
    rows = query(f"select {', '.join(wide)} from raw.stripe_invoices order by id")
    assert [tuple(row.values()) for row in rows] == [
        (2**62, 7, 2.0**53, Decimal("0.000000001")),
        (Decimal("0.5"), None, None, None),
        (None, Decimal("0.0000000001"), 0.25, None),
    ]
    assert extra()["in_2"] is None
    assert ("widened", "INT64 -> NUMERIC", 1, "raw.stripe_invoices") in evolved("amount_shipping")


DIFFERENCES: dict[str, tuple[str, str, str]] = {
    "a number as truth": ("total", "BOOL", "has INT64 NULLABLE, the contract wants BOOL NULLABLE"),
    "text as truth": ("receipt_number", "BOOL", "has STRING NULLABLE, the contract wants BOOL NULLABLE"),
    "a fraction cut off": ("amount_due", "INT64", "has NUMERIC NULLABLE, the contract wants INT64 NULLABLE"),
    "inexact": ("amount_remaining", "FLOAT64", r"has INT64 with 1 values beyond 2\^53, the contract wants FLOAT64"),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_any_other_difference_is_said_and_changes_nothing(invoices: Invoices, tmp_path: Path, difference: str) -> None:
    name, type_, said = DIFFERENCES[difference]
    invoices.pipeline.contract = changed(tmp_path, {"name": "amount_due", "type": "NUMERIC"})
    invoices.load(invoice(1, amount_remaining=2**53 + 1))
    before = {table: warehouse().columns(table) for table in TABLES}
    columns = [{"name": "novel", "type": "STRING"}, {"name": "amount_due", "type": "NUMERIC"}]
    invoices.pipeline.contract = changed(tmp_path, *columns, {"name": name, "type": type_})
    with pytest.raises(
        RefusedError,
        match=rf"raw(_history)?.stripe_invoices, column {name}: the table {said}.*nothing was loaded.*schema-drift.md",
    ):
        invoices.load(invoice(1, **{name: True if type_ == "BOOL" else 1}), axis="changed")
    assert {table: warehouse().columns(table) for table in TABLES} == before
    assert query("select total from raw.stripe_invoices") == [{"total": 1000}]


def test_another_key_is_said(invoices: Invoices, tmp_path: Path) -> None:
    invoices.load(invoice(1, receipt_number="A-1"))
    invoices.pipeline.contract = changed(tmp_path, key=["id", "receipt_number"], unlisted=False)
    with pytest.raises(RefusedError, match=r"receipt_number: the table has STRING NULLABLE, .* STRING REQUIRED"):
        invoices.load(invoice(1, receipt_number="A-1"), axis="changed")


def test_columns_of_a_later_release_stay(invoices: Invoices, tmp_path: Path) -> None:
    """So that a release can be taken back."""
    now = invoices.pipeline.contract
    invoices.pipeline.contract = changed(tmp_path, {"name": "bonus", "type": "INT64"})
    invoices.load(invoice(1, bonus=5), invoice(2, bonus=6))
    invoices.pipeline.contract = now
    assert invoices.load(invoice(1, bonus=7), axis="changed")["loaded"] == 1
    assert extra() == {"in_1": {"bonus": 7}, "in_2": None}


FROZEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"novel": 1}, r"stripe_invoices.novel \(unknown\)"),
    "another type": ({"receipt_number": {}}, r"stripe_invoices.receipt_number \(type\)"),
    "another type of what is required": ({"created": "soon"}, r"stripe_invoices.created \(type\)"),
    "required and missing": ({"total": None}, r"stripe_invoices.total \(missing\)"),
    "in a line": (
        {"lines": {"data": [{"id": "il_1", "amount": 1, "novel": 1}]}},
        r"stripe_invoice_lines.novel \(unknown\)",
    ),
}


@pytest.mark.parametrize("drift", FROZEN)
def test_a_frozen_stream_fails_before_anything_is_loaded(invoices: Invoices, tmp_path: Path, drift: str) -> None:
    fields, said = FROZEN[drift]
    invoices.pipeline.contract = changed(tmp_path, mode="freeze")
    assert invoices.load(invoice(1)) == {"received": 1, "loaded": 1}
    with pytest.raises(RefusedError, match=rf"the contract is frozen, but {said} drifted; nothing was loaded"):
        invoices.load(invoice(1, total=2), {**invoice(2), **fields})
    assert query("select id, total from raw.stripe_invoices") == [{"id": "in_1", "total": 1000}]


QUARANTINED = {
    "unknown": "drift",
    "another type": "drift",
    "another type of what is required": "type",
    "required and missing": "missing",
    "in a line": "drift",
}


@pytest.mark.parametrize("drift", QUARANTINED)
def test_a_quarantined_record_is_set_aside_and_the_rest_loads(invoices: Invoices, tmp_path: Path, drift: str) -> None:
    invoices.pipeline.contract = changed(tmp_path, mode="quarantine")
    invoices.load(invoice(1), invoice(2))
    counts = invoices.load(invoice(1, total=3), {**invoice(2, total=3), **FROZEN[drift][0]})
    assert counts == {"received": 2, "loaded": 1, "rejected": 1}
    assert query("select total from raw.stripe_invoices order by id") == [{"total": 3}, {"total": 1000}]
    [reject] = query("select * from ops.rejects where record_key = 'in_2' order by rejected_at desc limit 1")
    assert reject["reason"] == QUARANTINED[drift]
    assert reject["column_path"] in FROZEN[drift][1].replace("stripe_invoices.", "").replace(
        "stripe_invoice_lines.", ""
    )
