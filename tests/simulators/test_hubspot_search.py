"""Search over values of every type and dialect, and paging by key and by offset alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import DAY, date_of, parse
from tests.simulators.conftest import DEMO, Clients

OBJECTS = "/crm/objects/2026-09"
Properties = dict[str, str | None]


def search(clients: Clients, kind: str, **body: Any) -> dict[str, Any]:
    answer = clients.hubspot.post(f"{OBJECTS}/{kind}/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def all_ids(clients: Clients, kind: str, *filters: dict[str, Any], **more: Any) -> list[str]:
    """By offset, in pages of 100; the total is the same on each."""
    ids: list[str] = []
    after = "0"
    while True:
        page = search(clients, kind, filters=list(filters), limit=100, after=after, **more)
        ids += [record["id"] for record in page["results"]]
        if "paging" not in page:
            assert page["total"] == len(ids)
            return ids
        after = page["paging"]["next"]["after"]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def instant(text: str) -> int:
    return int(text) if text.isdigit() else parse(text)


CASES: list[tuple[str, dict[str, Any], Callable[[str | None], bool]]] = [
    ("annual_budget", {"operator": "GT", "value": "1000"}, lambda v: bool(v) and number(str(v)) > 1000),
    ("annual_budget", {"operator": "EQ", "value": "1234.5"}, lambda v: v == "1,234.50"),
    ("annual_budget", {"operator": "EQ", "value": "1000"}, lambda v: v == "1e3"),
    ("annual_budget", {"operator": "HAS_PROPERTY"}, bool),
    ("annual_budget", {"operator": "NOT_HAS_PROPERTY"}, lambda v: not v),
    (
        "contract_start",
        {"operator": "LT", "value": "2025-01-01"},
        lambda v: bool(v) and instant(str(v)) < parse("2025-01-01"),
    ),
    (
        "last_seen_at",
        {"operator": "BETWEEN", "value": str(DEMO - 200 * DAY), "highValue": str(DEMO)},
        lambda v: bool(v) and DEMO - 200 * DAY <= instant(str(v)) <= DEMO,
    ),
    ("newsletter_optout", {"operator": "EQ", "value": "true"}, lambda v: v == "true"),
    ("newsletter_optout", {"operator": "NEQ", "value": "true"}, lambda v: v != "true"),
    ("interests", {"operator": "IN", "values": ["audit log"]}, lambda v: "audit log" in (v or "").split(";")),
    ("interests", {"operator": "NOT_IN", "values": ["audit log"]}, lambda v: "audit log" not in (v or "").split(";")),
    ("customer_status", {"operator": "EQ", "value": "ACTIVE"}, lambda v: False),
    ("customer_status", {"operator": "IN", "values": ["active", "churned"]}, lambda v: v in ("active", "churned")),
    ("internal_note", {"operator": "CONTAINS_TOKEN", "value": "*back*"}, lambda v: "back" in (v or "")),
    ("internal_note", {"operator": "NOT_CONTAINS_TOKEN", "value": "back"}, lambda v: "back" not in (v or "")),
    ("constructor", {"operator": "EQ", "value": "PROTOTYPE"}, lambda v: v == "prototype"),
]


@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=[f"{c[0]}-{c[1]['operator']}" for c in CASES])
def test_values_of_every_type(
    clients: Clients, name: str, given: dict[str, Any], expected: Callable[[str | None], bool]
) -> None:
    values = {r["id"]: r["properties"][name] for r in clients.walk_crm(f"{OBJECTS}/contacts", properties=name)}
    found = all_ids(clients, "contacts", {"propertyName": name, **given})
    assert set(found) == {id for id, value in values.items() if expected(value)}


@pytest.mark.parametrize("kind", OBJECT_TYPES)
def test_key_and_offset_agree(clients: Clients, kind: str) -> None:
    type = OBJECT_TYPES[kind]
    path = type.id
    window = {"propertyName": type.modified, "operator": "GTE", "value": date_of(DEMO - 90 * DAY)}
    by_offset = all_ids(clients, path, window, sorts=["hs_object_id"])
    by_key: list[str] = []
    while True:
        bound = {"propertyName": "hs_object_id", "operator": "GT", "value": by_key[-1] if by_key else "0"}
        page = search(clients, path, filters=[window, bound], sorts=["hs_object_id"], limit=30)
        by_key += [record["id"] for record in page["results"]]
        assert page["total"] == len(by_offset) - len(by_key) + len(page["results"])
        if "paging" not in page:
            break
    assert by_key == by_offset != []


def test_bounds_on_the_id_in_any_form(clients: Clients) -> None:
    ids = [record["id"] for record in clients.walk_crm(f"{OBJECTS}/contacts")]
    low, high = ids[5], ids[20]

    def found(*bounds: tuple[str, str], **more: Any) -> list[str]:
        filters = [{"propertyName": "hs_object_id", "operator": op, "value": value} for op, value in bounds]
        return all_ids(clients, "contacts", *filters, **more)

    up = {"sorts": ["hs_object_id"]}
    assert found(("GT", low), ("LT", high), **up) == ids[6:20]
    assert found(("GTE", low), ("LTE", high), **up) == ids[5:21]
    assert found(("GT", low), ("GT", ids[10]), ("LTE", high), **up) == ids[11:21]
    assert found(("GT", high), ("LT", low), **up) == []
    assert found(("GT", low), ("LTE", high), sorts=["-hs_object_id"]) == ids[6:21][::-1]
    assert sorted(found(("GTE", low), ("LTE", high)), key=int) == ids[5:21]


def test_sorting(clients: Clients) -> None:
    values = {
        record["id"]: record["properties"]["annual_budget"]
        for record in clients.walk_crm(f"{OBJECTS}/contacts", properties="annual_budget")
    }
    up = [{"propertyName": "annual_budget", "direction": "ASCENDING"}]
    found = [values[id] for id in all_ids(clients, "contacts", sorts=up)]
    there = [number(value) for value in found if value]
    assert there == sorted(there) != []
    assert not any(found[len(there) :]), "those without a value come last"
    down = [{"propertyName": "createdate", "direction": "DESCENDING"}]
    first = search(clients, "contacts", sorts=down)["results"]
    assert [record["createdAt"] for record in first] == sorted((r["createdAt"] for r in first), reverse=True)


def test_groups_are_alternatives(clients: Clients) -> None:
    ids = [record["id"] for record in clients.walk_crm(f"{OBJECTS}/tickets")]
    groups = [
        {"filters": [{"propertyName": "hs_object_id", "operator": "LTE", "value": ids[2]}]},
        {"filters": [{"propertyName": "hs_object_id", "operator": "IN", "values": ids[4:6]}]},
    ]
    page = search(clients, "tickets", filterGroups=groups, sorts=["hs_object_id"])
    assert [record["id"] for record in page["results"]] == [*ids[:3], *ids[4:6]]


def test_a_change_is_seen_by_the_next_page(own: Clients) -> None:
    """What was kept of a search for its next page ends with the change."""
    window = {"propertyName": "lastmodifieddate", "operator": "LT", "value": str(DEMO)}
    body: dict[str, Any] = {"filters": [window], "sorts": ["hs_object_id"], "limit": 1}
    first = search(own, "contacts", **body)
    assert search(own, "contacts", **body) == first
    own.hubspot.delete(f"{OBJECTS}/contacts/{first['results'][0]['id']}")
    after = search(own, "contacts", **body)
    assert after["total"] == first["total"] - 1
    assert after["results"][0]["id"] != first["results"][0]["id"]
    own.hubspot.put("/_sim/settings", json={"search_lag_seconds": 30})
    own.simulation.clock += 10_000
    assert search(own, "contacts", **body) == first, "the index does not know yet"
    own.simulation.clock += 20_000
    assert search(own, "contacts", **body) == after
