"""The oracle itself: it must be independent, and it must notice."""

import ast
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators.books import world_books
from simulators.world.build import build
from tests.oracle import Books, Load, compare_clv, compare_raw, expected_clv, expected_people, expected_raw
from tests.oracle.clv import _months
from tests.oracle.identity import mailbox
from tests.oracle.raw import Source, Table
from tests.oracle.values import major


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


SINCE = datetime(2024, 7, 1, tzinfo=UTC)
SOURCES: tuple[Source, ...] = ("stripe", "hubspot")
HISTORY = [Load(source, "created", SINCE, at(4), at(4, 6)) for source in SOURCES]
TWO_DAYS = [Load(source, "changed", at(day), at(day + 1), at(day + 1, 6)) for source in SOURCES for day in (4, 5)]


@pytest.fixture(scope="module")
def ledger() -> Books:
    world = build(7, 120)

    def fetch(collection: str, moment: datetime) -> list[dict[str, Any]]:
        instant = int(moment.timestamp() * 1000)
        return list(world_books(world, collection, instant))

    return Books(fetch)


@pytest.fixture(scope="module")
def raw(ledger: Books) -> dict[str, Table]:
    return expected_raw(ledger, [*HISTORY, *TWO_DAYS])


def stored(table: Table) -> list[dict[str, Any]]:
    """Rows as a warehouse that is right would return them."""
    return [
        {"_extra": None}
        | {column: value for column, value in row.items() if column != "_deleted"}
        | {"client_id": "acme", "_deleted_at": at(5) if row["_deleted"] else None}
        for row in table.values()
    ]


def test_it_imports_nothing_that_it_checks() -> None:
    files = [path for path in Path(__file__).parent.glob("*.py") if path.name != Path(__file__).name]
    assert len(files) >= 7
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.startswith("tests.oracle") or name.partition(".")[0] in _STANDARD, f"{path.name}: {name}"


_STANDARD = {
    "__future__", "collections", "dataclasses", "datetime", "decimal", "fractions", "functools", "hashlib", "itertools",
    "json", "typing", "unicodedata", "urllib",
}  # fmt: skip


#: Nobody merges these by themselves in the simulated company.
EMPTY = {"hubspot_company_merges", "hubspot_deal_merges"}
#: What nobody touches in these two days.
SETTLED = {"hubspot_properties", "hubspot_ticket_pipelines", "hubspot_ticket_pipeline_stages"}


def test_every_table_has_rows_and_some_are_tombstones(raw: dict[str, Table]) -> None:
    assert len(raw) == 38
    assert {name for name, table in raw.items() if not table} == EMPTY
    deleted = {name for name, table in raw.items() if any(row["_deleted"] for row in table.values())}
    assert {"stripe_customers", "stripe_invoices", "stripe_invoice_lines", "hubspot_contacts"} <= deleted


def test_a_warehouse_that_is_right_has_no_difference(raw: dict[str, Table]) -> None:
    assert [problem for name, table in raw.items() for problem in compare_raw(name, table, stored(table))] == []


def test_every_kind_of_mistake_in_a_table_is_told(raw: dict[str, Table]) -> None:
    table = raw["stripe_invoices"]
    rows = stored(table)
    live = [index for index, row in enumerate(rows) if row["_deleted_at"] is None]
    lost, wrong, dead, drifted = (rows[index]["id"] for index in live[:4])
    rows[live[1]] = rows[live[1]] | {"amount_paid": -1}
    rows[live[2]] = rows[live[2]] | {"_deleted_at": at(5)}
    rows[live[3]] = rows[live[3]] | {"_extra": {"news": 1}}
    rows.append(rows[live[4]])
    rows.append(rows[live[4]] | {"id": "in_invented"})
    del rows[live[0]]
    told = "\n".join(compare_raw("stripe_invoices", table, rows))
    assert f"('{lost}',): missing" in told
    assert f"('{wrong}',): amount_paid is -1, expected" in told
    assert f"('{dead}',): _deleted_at is" in told
    assert f"('{drifted}',): _extra holds ['news']" in told
    assert "there twice" in told
    assert "('in_invented',): not in the books" in told


def test_every_kind_of_mistake_in_the_mart_is_told(raw: dict[str, Table]) -> None:
    expected = expected_clv(raw, at(6))
    assert compare_clv(expected, expected) == []
    actual = [dict(row) for row in expected]
    actual[0]["revenue_collected"] += Decimal("0.01")
    actual[2]["currency"] = "xxx"
    told = "\n".join(compare_clv(expected, [*actual, actual[1]]))
    assert "revenue_collected is" in told
    assert "in xxx: not expected" in told
    assert "missing" in told and "there twice" in told


def test_the_days_make_a_difference(ledger: Books, raw: dict[str, Table]) -> None:
    """If the daily loads changed nothing, comparing after it would prove nothing about it."""
    before = expected_raw(ledger, HISTORY)
    changed = {name for name in raw if before[name] != raw[name]}
    assert changed == set(raw) - EMPTY - SETTLED


def test_the_world_has_every_kind_of_person(raw: dict[str, Table]) -> None:
    assert set(expected_people(raw, at(6))) == {"matched", "stripe_only", "crm_only", "no_email"}
    assert sum(row["revenue_collected"] for row in expected_clv(raw, at(6)) if row["match"] == "no_email") > 0


def test_nothing_after_the_moment_counts(raw: dict[str, Table]) -> None:
    early = expected_clv(raw, datetime(2025, 3, 1, tzinfo=UTC))
    late = {(row["person_key"], row["currency"]): row for row in expected_clv(raw, at(6))}
    assert 0 < len(early) < len(late)
    for row in early:
        assert row["revenue_collected"] <= late[row["person_key"], row["currency"]]["revenue_collected"]
        assert row["last_payment_at"] is None or row["last_payment_at"] < datetime(2025, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("ada+eu+b@example.com", "ada@example.com"),
        ("+a@example.com", None),
        ("", None),
        (None, None),
        ("a@b@c", None),
        ("a b@c", None),
        ("@c", None),
        ("a@", None),
        ("a\u200bda@example.com\u00a0", "ada@example.com"),
        ("Ada <ada@example.com>", "ada@example.com"),
        ("mailto:ada@example.com?subject=hi", "ada@example.com"),
    ],
)
def test_a_mailbox(email: str | None, expected: str | None) -> None:
    assert mailbox(email) == expected


def test_money_and_months() -> None:
    assert [str(major(1090, currency)) for currency in ("usd", "jpy", "kwd", "isk")] == [
        "10.90",
        "1090",
        "1.090",
        "10.90",
    ]
    start = datetime(2025, 11, 30, tzinfo=UTC)
    assert _months(start, datetime(2026, 1, 1, tzinfo=UTC)) == {(2025, 11), (2025, 12)}
    assert _months(start, start) == set()
