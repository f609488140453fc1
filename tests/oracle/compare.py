"""Expected against actual, as lines that say what is wrong where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.oracle.raw import Row, Table

#: Keys of the raw tables, client_id left out.
KEYS: dict[str, tuple[str, ...]] = {
    "stripe_subscription_items": ("subscription_id", "id"),
    "stripe_subscription_discounts": ("subscription_id", "id"),
    "stripe_invoice_lines": ("invoice_id", "id"),
    "stripe_invoice_discounts": ("invoice_id", "discount_id"),
    "stripe_credit_note_lines": ("credit_note_id", "id"),
    "hubspot_contact_companies": ("contact_id", "company_id"),
    "hubspot_contact_lifecycle_history": ("contact_id", "changed_at", "lifecyclestage"),
    "hubspot_contact_merges": ("contact_id", "merged_id"),
    "hubspot_company_merges": ("company_id", "merged_id"),
    "hubspot_deal_contacts": ("deal_id", "contact_id"),
    "hubspot_deal_companies": ("deal_id", "company_id"),
    "hubspot_deal_stage_history": ("deal_id", "changed_at", "stage_id"),
    "hubspot_deal_merges": ("deal_id", "merged_id"),
    "hubspot_deal_pipeline_stages": ("pipeline_id", "id"),
    "hubspot_ticket_merges": ("ticket_id", "merged_id"),
    "hubspot_ticket_pipeline_stages": ("pipeline_id", "id"),
    "hubspot_properties": ("object_type", "name"),
}


def compare_raw(table: str, expected: Table, actual: Iterable[Mapping[str, Any]], limit: int = 20) -> list[str]:
    """Differences between a raw table and its actual rows (all columns, one client), at most `limit` lines.

    Compared are the keys, every column of the contract, whether a row is a tombstone, and what `_extra` holds.
    """
    key = KEYS.get(table, ("id",))
    problems: list[str] = []
    rows: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in actual:
        name = tuple(row[part] for part in key)
        if name in rows:
            problems.append(f"{table} {name}: there twice")
        rows[name] = row
    for name in sorted(expected.keys() - rows.keys()):
        problems.append(f"{table} {name}: missing")
    for name in sorted(rows.keys() - expected.keys()):
        problems.append(f"{table} {name}: not in the books")
    for name in sorted(expected.keys() & rows.keys()):
        problems += [f"{table} {name}: {text}" for text in _row_problems(expected[name], rows[name])]
    return _cut(problems, limit)


def _row_problems(expected: Row, actual: Mapping[str, Any]) -> Iterable[str]:
    own = {column for column in actual if not column.startswith("_") and column != "client_id"}
    columns = {column for column in expected if not column.startswith("_")}
    if own != columns:
        yield f"columns differ: {sorted(own ^ columns)}"
    for column in sorted(own & columns):
        if expected[column] != actual[column]:
            yield f"{column} is {actual[column]!r}, expected {expected[column]!r}"
    if (actual["_deleted_at"] is not None) != expected["_deleted"]:
        yield f"_deleted_at is {actual['_deleted_at']}, expected {'a tombstone' if expected['_deleted'] else 'none'}"
    extra, wanted = actual["_extra"] or {}, expected.get("_extra", {})
    if extra != wanted:
        yield f"_extra holds {sorted(extra)}" + (f", expected {sorted(wanted)}" if wanted else "")


def compare_clv(expected: Sequence[Row], actual: Iterable[Mapping[str, Any]], limit: int = 20) -> list[str]:
    """Differences between the mart and what it should be, per person and currency, at most `limit` lines."""
    problems: list[str] = []
    wanted = {(row["person_key"], row["currency"]): row for row in expected}
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in actual:
        cell = (row["person_key"], row["currency"])
        if cell in found:
            problems.append(f"{_who(row)}: there twice")
        found[cell] = row
    problems += [f"{_who(wanted[cell])}: missing" for cell in sorted(wanted.keys() - found.keys())]
    problems += [f"{_who(found[cell])}: not expected" for cell in sorted(found.keys() - wanted.keys())]
    for cell in sorted(wanted.keys() & found.keys()):
        for column, value in wanted[cell].items():
            if found[cell][column] != value:
                problems.append(f"{_who(wanted[cell])}: {column} is {found[cell][column]!r}, expected {value!r}")
    return _cut(problems, limit)


def compare_rows(
    key: Sequence[str], expected: Iterable[Row], actual: Iterable[Mapping[str, Any]], limit: int = 20
) -> list[str]:
    """Differences between a mart and what it should be, by `key`, in the columns that expected rows have."""
    problems: list[str] = []
    wanted = {tuple(row[part] for part in key): row for row in expected}
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in actual:
        name = tuple(row[part] for part in key)
        if name in found:
            problems.append(f"{name}: there twice")
        found[name] = row
    problems += [f"{name}: missing" for name in sorted(wanted.keys() - found.keys())]
    problems += [f"{name}: not expected" for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        for column, value in wanted[name].items():
            if found[name][column] != value:
                problems.append(f"{name}: {column} is {found[name][column]!r}, expected {value!r}")
    return _cut(problems, limit)


def _who(row: Mapping[str, Any]) -> str:
    return f"{row['email'] or row['person_key'][:12]} in {row['currency']}"


def _cut(problems: list[str], limit: int) -> list[str]:
    more = len(problems) - limit
    return problems[:limit] + ([f"and {more} more"] if more > 0 else [])
