"""Many at once: bulk edits beyond the search's end, imports, and portals with hundreds of awkward properties."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from simulators.world.moments import parse
from tests.simulators.conftest import DEMO, Clients

CONTACTS = "/crm/objects/2026-09/contacts"


def page(clients: Clients, last: str, start: int, end: int) -> dict[str, Any]:
    body = {
        "filterGroups": [
            {
                "filters": [
                    {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(start)},
                    {"propertyName": "lastmodifieddate", "operator": "LT", "value": str(end)},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": last},
                ]
            }
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "limit": 200,
    }
    found: dict[str, Any] = clients.hubspot.post(f"{CONTACTS}/search", json=body).json()
    return found


def test_twelve_thousand_contacts_in_one_second(own: Clients) -> None:
    imported = own.hubspot.post("/_sim/bulk/contacts/import", json={"count": 15_000, "since": "2025-03-01"}).json()
    assert int(imported["last"]) - int(imported["first"]) == 14_999
    own.simulation.clock += 60_000
    at = own.simulation.clock
    answer = own.hubspot.post("/_sim/bulk/contacts/edit", json={"count": 12_000, "properties": {"phone": "+1"}}).json()
    assert answer["edited"] == 12_000
    began = time.process_time()
    seen: list[str] = []
    last = "0"
    while True:
        found = page(own, last, at, at + 1_000)
        assert found["total"] == 12_000 - len(seen)
        seen += [record["id"] for record in found["results"]]
        if "paging" not in found:
            break
        last = seen[-1]
    assert seen == answer["ids"]
    assert time.process_time() - began < 5, "a walk must not filter everything again for each page"
    beyond = {"after": "10000", "limit": 1}
    assert own.hubspot.post(f"{CONTACTS}/search", json=beyond).status_code == 400


def test_imported_contacts_are_records_like_others(own: Clients) -> None:
    before = len(own.walk_crm(CONTACTS))
    given = own.hubspot.post("/_sim/bulk/contacts/import", json={"count": 500, "since": "2025-12-01"}).json()
    records = own.walk_crm(CONTACTS, properties="email,annual_budget")
    assert len(records) == before + 500
    lines = {line["id"]: line for line in own.books("contacts") if int(line["id"]) >= int(given["first"])}
    created = [line["created"] for line in lines.values() if int(line["id"]) <= int(given["last"])]
    assert (min(created), max(created)) == ("2025-12-01T00:00:00.000Z", "2026-01-04T06:00:00.000Z")
    for record in records:
        if record["id"] in lines:
            assert record["properties"]["email"] == lines[record["id"]]["object"]["properties"]["email"]
    found = page(own, "0", parse("2025-12-10T00:00:00Z"), parse("2025-12-11T00:00:00Z"))
    expected = {id for id, line in lines.items() if line["updated"].startswith("2025-12-10")}
    assert expected <= {record["id"] for record in found["results"]}
    first = given["first"]
    own.hubspot.patch(f"{CONTACTS}/{first}", json={"properties": {"phone": "+1"}})
    own.hubspot.delete(f"{CONTACTS}/{given['last']}")
    assert own.hubspot.get(f"{CONTACTS}/{first}?properties=phone").json()["properties"]["phone"] == "+1"
    again = own.hubspot.post("/_sim/bulk/contacts/import", json={"count": 3}).json()
    assert int(again["first"]) == int(given["last"]) + 1


@pytest.mark.parametrize("kind", ["contacts", "deals"])
def test_nine_hundred_awkward_properties(own: Clients, kind: str) -> None:
    answer = own.hubspot.post(f"/_sim/bulk/{kind}/properties", json={"count": 900, "fill": 5}).json()
    names = answer["created"]
    assert len(set(names)) == 900
    assert all(re.fullmatch(r"[a-z0-9_]{1,100}", name) for name in names)
    assert {"__proto__", "select", "007", "double__underscore"} <= set(names)
    assert any(len(name) == 100 for name in names)
    catalogue = own.hubspot.get(f"/crm/properties/2026-09/{kind}").json()["results"]
    known = {property["name"]: property for property in catalogue}
    assert set(names) <= set(known)
    assert any(not known[name]["label"].isascii() for name in names)
    assert {known[name]["type"] for name in names} >= {"string", "number", "date", "datetime", "enumeration", "bool"}
    url = f"/crm/objects/2026-09/{kind}"
    assert own.hubspot.get(url, params={"properties": ",".join(names)}).status_code == 414
    inputs = [{"id": id} for id in answer["filled"]]
    found = own.hubspot.post(f"{url}/batch/read", json={"inputs": inputs, "properties": names}).json()["results"]
    books = {line["id"]: line["object"]["properties"] for line in own.books(kind)}
    values: set[str | None] = set()
    for record in found:
        assert {name: record["properties"][name] for name in names} == {
            name: books[record["id"]].get(name) for name in names
        }
        values |= {record["properties"][name] for name in names}
    assert {"1,234.50", "", None, "true"} <= values
    assert record["updatedAt"] == own.hubspot.get("/_sim/clock").json()["now"]
    again = own.hubspot.post(f"/_sim/bulk/{kind}/properties", json={"count": 10}).json()["created"]
    assert not set(again) & set(names)


def test_properties_of_one_portal_are_not_those_of_another(own: Clients, clients: Clients) -> None:
    own.hubspot.post("/_sim/bulk/tickets/properties", json={"count": 5})
    assert own.hubspot.get("/crm/properties/2026-09/tickets/prototype").status_code == 200
    assert clients.hubspot.get("/crm/properties/2026-09/tickets/prototype").status_code == 404


def test_wrong_orders(own: Clients) -> None:
    for path, body in (
        ("contacts/edit", {"count": 0, "properties": {}}),
        ("contacts/edit", {"count": 1}),
        ("contacts/edit", {"count": 1, "properties": {"no_such": "1"}}),
        ("owners/edit", {"count": 1, "properties": {}}),
        ("contacts/import", {"count": 1, "since": "2027-01-01"}),
        ("contacts/properties", {"count": "many"}),
    ):
        assert own.hubspot.post(f"/_sim/bulk/{path}", json=body).status_code == 400, path
    assert own.simulation.clock == DEMO
