"""Object types, both generations of paths, the catalogue of properties, histories, and dialects of values."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import END, parse
from tests.simulators.conftest import DEMO, Clients

OBJECTS = "/crm/objects/2026-09"
TYPES = {kind: type.id if kind == "workspaces" else kind for kind, type in OBJECT_TYPES.items()}


@pytest.mark.parametrize("kind", ["tickets", "workspaces"])
def test_a_walk_sees_every_record_once(clients: Clients, kind: str) -> None:
    found = clients.walk_crm(f"{OBJECTS}/{TYPES[kind]}")
    ids = [int(record["id"]) for record in found]
    assert ids == sorted(set(ids))
    assert {record["id"] for record in found} == {line["id"] for line in clients.books(kind) if not line["gone"]}
    assert clients.walk_crm(f"{OBJECTS}/{TYPES[kind]}", archived="true")


def test_names_of_a_custom_object(clients: Clients) -> None:
    pages = [
        clients.hubspot.get(f"{OBJECTS}/{name}", params={"limit": 100}).json()["results"]
        for name in ("2-1234567", "p4242_workspaces", "p_workspaces")
    ]
    assert pages[0] == pages[1] == pages[2] != []
    assert clients.hubspot.get(f"{OBJECTS}/workspaces").json() == {
        "status": "error",
        "message": "Unable to infer object type from: workspaces",
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
    }
    record = pages[0][0]
    assert set(record["properties"]) == {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert all(int(shape["id"]) > 2**53 for shape in pages[0])


@pytest.mark.parametrize(
    ("dated", "older"),
    [
        ("/crm/objects/2026-09/tickets", "/crm/v3/objects/tickets"),
        ("/crm/objects/2026-09/2-1234567", "/crm/v3/objects/2-1234567"),
        ("/crm/properties/2026-09/tickets", "/crm/v3/properties/tickets"),
        ("/crm/properties/2026-09/deals/dealstage", "/crm/v3/properties/deals/dealstage"),
        ("/crm/pipelines/2026-09/tickets", "/crm/v3/pipelines/tickets"),
        ("/crm/owners/2026-09", "/crm/v3/owners"),
        ("/account-info/2026-09/details", "/account-info/v3/details"),
    ],
)
def test_both_generations_of_paths(clients: Clients, dated: str, older: str) -> None:
    found, same = clients.hubspot.get(dated), clients.hubspot.get(older)
    assert found.status_code == 200
    texts = [answer.text.replace("/v3/objects/", "/").replace("/objects/2026-09/", "/") for answer in (found, same)]
    assert texts[0] == texts[1]
    stale = clients.hubspot.get(dated.replace("2026-09", "2025-03"))
    assert (stale.status_code, stale.headers["content-type"][:9]) == (404, "text/html")


def test_pipelines_of_tickets(clients: Clients) -> None:
    found = clients.hubspot.get("/crm/pipelines/2026-09/tickets").json()["results"]
    assert [pipeline["id"] for pipeline in found] == ["0", "61102377"]
    stages = {stage["id"]: stage["metadata"] for pipeline in found for stage in pipeline["stages"]}
    assert stages["4"] == {"ticketState": "CLOSED", "isClosed": "true"}
    for ticket in clients.walk_crm(f"{OBJECTS}/tickets"):
        assert ticket["properties"]["hs_pipeline_stage"] in stages
    assert clients.hubspot.get("/crm/pipelines/2026-09/contacts").json() == {"results": []}


def test_the_catalogue(clients: Clients) -> None:
    known: dict[str, dict[str, Any]] = {}
    for type in TYPES.values():
        for property in clients.hubspot.get(f"/crm/properties/2026-09/{type}").json()["results"]:
            known[property["name"]] = property
    types = {property["type"] for property in known.values()}
    assert types == {"string", "number", "date", "datetime", "enumeration", "bool", "phone_number"}
    assert known["interests"]["fieldType"] == "checkbox"
    assert known["days_since_lead"]["calculated"]
    assert known["days_since_lead"]["modificationMetadata"]["readOnlyValue"]
    assert known["billing_key"]["hasUniqueValue"]
    assert not known["customer_status"]["hubspotDefined"]
    assert "constructor" in known


def test_dialects_of_values(clients: Clients) -> None:
    names = "annual_budget,birthday,contract_start,last_seen_at,newsletter_optout,interests,internal_note,no_such"
    contacts = [r["properties"] for r in clients.walk_crm(f"{OBJECTS}/contacts", properties=names)]
    values = {name: {properties[name] for properties in contacts} for name in names.split(",")[:-1]}
    assert {"1,234.50", "1e3", "", None} <= values["annual_budget"]
    assert {"true", "false", "", None} == values["newsletter_optout"]
    starts = {value for value in values["contract_start"] if value}
    assert any(value.isdigit() and int(value) % 86_400_000 == 0 for value in starts)
    assert any(value[4:5] == "-" for value in starts)
    seen = {value for value in values["last_seen_at"] if value}
    assert any(value.isdigit() for value in seen)
    assert any(value.endswith("T00:00:00.000Z") for value in seen)
    assert any(len(value) == 20 for value in seen)
    assert any(";" in (value or "") for value in values["interests"])
    assert any("\n" in (value or "") for value in values["internal_note"])
    assert all("no_such" not in properties for properties in contacts)


def test_history_is_that_of_the_books(clients: Clients) -> None:
    """Every value that the books of each moment show, and no other."""
    store = clients.simulation.world.store
    for kind, name in (("deals", "dealstage"), ("contacts", "lifecyclestage"), ("tickets", "hs_pipeline_stage")):
        lengths = set()
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            params: dict[str, str | int] = {"limit": 50, "propertiesWithHistory": name, **after}
            page = clients.hubspot.get(f"{OBJECTS}/{kind}", params=params).json()
            found += page["results"]
            if "paging" not in page:
                break
            after = {"after": page["paging"]["next"]["after"]}
        for record in found:
            told = [(parse(entry["timestamp"]), entry["value"]) for entry in record["propertiesWithHistory"][name]]
            expected: list[tuple[int, str]] = []
            for version in store[kind].records[record["id"]].versions:
                value = version.object["properties"][name] or ""
                if version.at <= DEMO and (not expected or expected[-1][1] != value):
                    expected.append((version.at, value))
            assert told == expected[::-1]
            assert record["properties"][name] == told[0][1]
            lengths.add(len(told))
        assert max(lengths) > 2, kind


def test_history_has_smaller_pages(clients: Clients) -> None:
    url = f"{OBJECTS}/deals"
    assert clients.hubspot.get(url, params={"limit": 51, "propertiesWithHistory": "dealstage"}).status_code == 400
    ids = [{"id": record["id"]} for record in clients.walk_crm(url)[:51]]
    body = {"inputs": ids, "propertiesWithHistory": ["dealstage"], "properties": ["dealname"]}
    assert clients.hubspot.post(f"{url}/batch/read", json=body).status_code == 400
    body["inputs"] = ids[:50]
    results = clients.hubspot.post(f"{url}/batch/read", json=body).json()["results"]
    assert all(record["propertiesWithHistory"]["dealstage"] for record in results)
    one = clients.hubspot.get(f"{url}/{ids[0]['id']}", params={"propertiesWithHistory": "dealstage"}).json()
    assert one["propertiesWithHistory"] == next(
        record["propertiesWithHistory"] for record in results if record["id"] == one["id"]
    )


def test_owners_one_by_one(clients: Clients) -> None:
    owner = clients.hubspot.get("/crm/owners/2026-09").json()["results"][0]
    assert clients.hubspot.get(f"/crm/owners/2026-09/{owner['id']}").json() == owner
    by_user = clients.hubspot.get(f"/crm/v3/owners/{owner['userId']}", params={"idProperty": "userId"})
    assert by_user.json() == owner
    gone = clients.hubspot.get("/crm/owners/2026-09", params={"archived": "true"}).json()["results"][0]
    assert clients.hubspot.get(f"/crm/owners/2026-09/{gone['id']}").status_code == 404


def test_ids_and_dates_of_all_kinds(clients: Clients) -> None:
    clients.simulation.clock = END - 1
    seen: set[str] = set()
    for kind, type in OBJECT_TYPES.items():
        for record in clients.walk_crm(f"{OBJECTS}/{TYPES[kind]}"):
            properties = record["properties"]
            assert properties[type.created] == record["createdAt"] <= record["updatedAt"]
            assert properties[type.modified] == record["updatedAt"]
            assert record["id"] not in seen
            seen.add(record["id"])
