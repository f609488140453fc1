"""HubSpot's rules for lists, records, batches, associations, search and errors."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.crm_types import MODIFIED
from simulators.world.moments import DAY, instant, iso, parse
from tests.simulators.conftest import DEMO, Clients

OBJECTS = "/crm/objects/2026-09"
KINDS = ["contacts", "companies", "deals"]


def search(clients: Clients, kind: str, status: int = 200, /, **body: Any) -> dict[str, Any]:
    answer = clients.hubspot.post(f"{OBJECTS}/{kind}/search", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def where(name: str, operator: str, value: object = None, **more: object) -> dict[str, Any]:
    given = {"propertyName": name, "operator": operator, **more}
    return {**given, "value": str(value)} if value is not None else given


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_sees_every_record_once_by_ascending_id(clients: Clients, kind: str) -> None:
    books = clients.books(kind)
    found = clients.walk_crm(f"{OBJECTS}/{kind}")
    ids = [int(record["id"]) for record in found]
    assert ids == sorted(set(ids))
    assert {record["id"] for record in found} == {line["id"] for line in books if not line["deleted_at"]}
    archived = {record["id"] for record in clients.walk_crm(f"{OBJECTS}/{kind}", archived="true")}
    recent = iso(DEMO - 90 * DAY)
    expected = {line["id"] for line in books if line["gone"] == "archived" and line["deleted_at"] > recent}
    assert archived == expected


def test_limits_and_the_end_of_paging(clients: Clients) -> None:
    page = clients.hubspot.get(f"{OBJECTS}/contacts").json()
    assert len(page["results"]) == 10
    assert page["paging"]["next"]["link"].startswith("https://api.hubapi.com/crm/objects/2026-09/contacts?")
    assert len(clients.hubspot.get(f"{OBJECTS}/contacts", params={"limit": 500}).json()["results"]) == 100
    last = clients.hubspot.get(f"{OBJECTS}/companies", params={"after": str(10**17)}).json()
    assert last == {"results": []}


def test_properties(clients: Clients) -> None:
    default = clients.hubspot.get(f"{OBJECTS}/contacts").json()["results"][0]["properties"]
    assert set(default) == {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}
    asked = {"properties": "phone,no_such_property,email", "limit": 100}
    records = clients.walk_crm(f"{OBJECTS}/contacts", **asked)
    for record in records:
        assert set(record["properties"]) == {"phone", "email", "createdate", "hs_object_id", "lastmodifieddate"}
        assert record["properties"]["hs_object_id"] == record["id"]
        assert record["properties"]["createdate"] == record["createdAt"]
        assert record["properties"]["lastmodifieddate"] == record["updatedAt"]
    assert any(record["properties"]["phone"] is None for record in records)
    assert any(record["properties"]["email"] is None for record in records)


def test_single_records(clients: Clients) -> None:
    record = clients.hubspot.get(f"{OBJECTS}/deals").json()["results"][0]
    assert clients.hubspot.get(f"{OBJECTS}/deals/{record['id']}").json() == record
    assert clients.hubspot.get(f"/crm/v3/objects/deals/{record['id']}").json() == record
    missing = clients.hubspot.get(f"{OBJECTS}/deals/1")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    assert "Resource not found" in missing.text


def test_archived_records_are_found_only_when_asked_for(clients: Clients) -> None:
    record = clients.walk_crm(f"{OBJECTS}/contacts", archived="true")[0]
    assert record["archived"] is True
    assert record["archivedAt"] == record["updatedAt"]
    url = f"{OBJECTS}/contacts/{record['id']}"
    assert clients.hubspot.get(url).status_code == 404
    assert clients.hubspot.get(url, params={"archived": "true"}).json()["id"] == record["id"]
    assert search(clients, "contacts", filters=[where("hs_object_id", "EQ", record["id"])])["total"] == 0


def test_merged_ids_lead_to_the_record_that_remains(clients: Clients) -> None:
    merged = [line for line in clients.books("contacts") if line["gone"] == "merged"]
    assert merged
    kept = 0
    for line in merged:
        record = clients.hubspot.get(f"{OBJECTS}/contacts/{line['id']}", params={"properties": "hs_merged_object_ids"})
        if record.status_code == 404:
            continue  # what it became was archived later
        assert record.json()["id"] == line["merged_into"]
        assert line["id"] in record.json()["properties"]["hs_merged_object_ids"].split(";")
        kept += 1
    assert kept
    remaining = {line["id"]: line for line in clients.books("contacts")}
    for line in merged:
        became = remaining[line["merged_into"]]
        assert became["object"]["properties"]["hs_additional_emails"]
        assert became["created"] <= line["created"]


def test_versions_and_types(clients: Clients) -> None:
    for path in ("/crm/objects/2026-03/contacts", "/crm/objects/v3/contacts", "/crm/owners/2025-09", "/nothing"):
        answer = clients.hubspot.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    for path in ("/crm/v3/objects/contacts", "/crm/v3/owners/", "/crm/v3/pipelines/deals", "/crm/v3/properties/deals"):
        assert clients.hubspot.get(path).status_code == 200
    unknown = clients.hubspot.get(f"{OBJECTS}/nonsuch")
    assert unknown.status_code == 400
    assert unknown.json()["message"] == "Unable to infer object type from: nonsuch"


def test_credentials_and_headers(clients: Clients) -> None:
    answer = clients.hubspot.get(f"{OBJECTS}/contacts")
    assert answer.headers["x-hubspot-ratelimit-max"] == "100"
    assert answer.headers["date"] == "Sun, 04 Jan 2026 06:00:00 GMT"
    searched = clients.hubspot.post(f"{OBJECTS}/contacts/search", json={})
    assert not [name for name in searched.headers if "ratelimit" in name]
    for header in ("", "Bearer wrong"):
        refused = clients.hubspot.get(f"{OBJECTS}/contacts", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.json()["category"] == "INVALID_AUTHENTICATION"
    account = clients.hubspot.get("/account-info/2026-09/details").json()
    assert (account["portalId"], account["timeZone"]) == (4242, "UTC")


def test_a_long_url_is_refused(clients: Clients) -> None:
    names = ",".join(f"property_{number}" for number in range(1_500))
    assert clients.hubspot.get(f"{OBJECTS}/contacts", params={"properties": names}).status_code == 414


def test_owners_in_two_passes(clients: Clients) -> None:
    active = clients.hubspot.get("/crm/owners/2026-09").json()["results"]
    archived = clients.hubspot.get("/crm/owners/2026-09", params={"archived": "true"}).json()["results"]
    assert all("userId" in owner and not owner["archived"] for owner in active)
    assert all("userId" not in owner and owner["archived"] for owner in archived)
    books = clients.books("owners")
    assert {owner["id"] for owner in active + archived} == {line["id"] for line in books}
    one = clients.hubspot.get("/crm/owners/2026-09", params={"limit": 1}).json()
    after = one["paging"]["next"]["after"]
    rest = clients.hubspot.get("/crm/owners/2026-09", params={"after": after}).json()["results"]
    assert one["results"] + rest == active


def test_pipelines(clients: Clients) -> None:
    page = clients.hubspot.get("/crm/pipelines/2026-09/deals").json()
    assert set(page) == {"results"}
    assert [pipeline["id"] for pipeline in page["results"]] == ["default", "38211904"]
    stages = {stage["id"] for pipeline in page["results"] for stage in pipeline["stages"]}
    for deal in clients.walk_crm(f"{OBJECTS}/deals", properties="dealstage"):
        assert deal["properties"]["dealstage"] in stages
    assert page["results"][0]["stages"][-1]["metadata"] == {"isClosed": "true", "probability": "0.0"}


# -- batches and associations ------------------------------------------------------------------


def test_batch_read(clients: Clients) -> None:
    ids = [record["id"] for record in clients.hubspot.get(f"{OBJECTS}/contacts").json()["results"]]
    url = f"{OBJECTS}/contacts/batch/read"
    whole = clients.hubspot.post(url, json={"inputs": [{"id": id} for id in ids], "properties": ["phone"]})
    assert whole.status_code == 200
    assert {record["id"] for record in whole.json()["results"]} == set(ids)
    assert all("phone" in record["properties"] for record in whole.json()["results"])
    partly = clients.hubspot.post(url, json={"inputs": [{"id": ids[0]}, {"id": "1"}]})
    assert partly.status_code == 207
    assert [record["id"] for record in partly.json()["results"]] == ids[:1]
    assert partly.json()["errors"][0]["context"] == {"ids": ["1"]}
    assert clients.hubspot.post(url, json={"inputs": [{"id": "1"}] * 101}).status_code == 400
    nothing = clients.hubspot.post(url, json={})
    assert (nothing.status_code, nothing.json()["results"]) == (200, [])
    assert clients.hubspot.post(url, content=b"{").status_code == 400
    email = clients.hubspot.get(f"{OBJECTS}/contacts/{ids[0]}").json()["properties"]["email"]
    by_email = clients.hubspot.post(url, json={"idProperty": "email", "inputs": [{"id": email.upper()}]})
    assert [record["id"] for record in by_email.json()["results"]] == ids[:1]


def test_associations_agree_with_the_books(clients: Clients) -> None:
    deals = [record["id"] for record in clients.walk_crm(f"{OBJECTS}/deals")]
    url = "/crm/associations/2026-09/deals/contacts/batch/read"
    found: dict[tuple[str, str], list[int]] = {}
    inputs: list[dict[str, Any]] = [{"id": id} for id in deals]
    statuses, rounds = set(), 0
    while inputs:
        answer = clients.hubspot.post(url, json={"inputs": inputs})
        statuses.add(answer.status_code)
        inputs, rounds = [], rounds + 1
        for result in answer.json()["results"]:
            assert len(result["to"]) <= 100
            for other in result["to"]:
                key = (result["from"]["id"], str(other["toObjectId"]))
                assert key not in found
                found[key] = [type["typeId"] for type in other["associationTypes"]]
            if "paging" in result:
                inputs.append({"id": result["from"]["id"], "after": result["paging"]["next"]["after"]})
        for problem in answer.json().get("errors", []):
            assert problem["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert rounds == 2
    assert 207 in statuses
    expected = {
        (line["object"]["deal_id"], line["object"]["contact_id"]): [t["typeId"] for t in line["object"]["types"]]
        for line in clients.books("deal_contacts")
        if not line["deleted_at"]
    }
    assert found == expected
    assert any(37 in types for types in found.values())


def test_associations_from_the_other_side(clients: Clients) -> None:
    line = next(line for line in clients.books("deal_contacts") if not line["deleted_at"])
    url = "/crm/v4/associations/contacts/deals/batch/read"
    answer = clients.hubspot.post(url, json={"inputs": [{"id": line["object"]["contact_id"]}]}).json()
    other = answer["results"][0]["to"]
    assert int(line["object"]["deal_id"]) in [found["toObjectId"] for found in other]
    assert other[0]["associationTypes"][0]["typeId"] == 4


def test_lists_show_a_hundred_associations(clients: Clients) -> None:
    deals = clients.walk_crm(f"{OBJECTS}/deals", associations="contacts,companies")
    cut = [
        deal["associations"]["contacts"]
        for deal in deals
        if "paging" in deal.get("associations", {}).get("contacts", {})
    ]
    assert [len(found["results"]) for found in cut] == [100]
    assert any("associations" not in deal or "contacts" not in deal["associations"] for deal in deals)


# -- search ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_modified_in_a_window(clients: Clients, kind: str) -> None:
    clients.simulation.clock = DEMO + DAY
    start, end = instant(2026, 1, 4), instant(2026, 1, 5)
    body = {
        "filterGroups": [{"filters": [where(MODIFIED[kind], "GTE", start), where(MODIFIED[kind], "LT", end)]}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "limit": 200,
    }
    page = search(clients, kind, **body)
    expected = {
        line["id"] for line in clients.books(kind) if not line["deleted_at"] and start <= parse(line["updated"]) < end
    }
    assert {record["id"] for record in page["results"]} == expected
    assert page["total"] == len(expected) > 0
    ids = [int(record["id"]) for record in page["results"]]
    assert ids == sorted(ids)
    iso_body = {**body, "filters": [where(MODIFIED[kind], "BETWEEN", iso(start), highValue=iso(end - 1))]}
    del iso_body["filterGroups"]
    assert search(clients, kind, **iso_body)["results"] == page["results"]


def test_keyset_walk(clients: Clients) -> None:
    seen: list[str] = []
    last = "0"
    while True:
        page = search(
            clients,
            "contacts",
            filters=[where("hs_object_id", "GT", last)],
            sorts=["hs_object_id"],
            limit=50,
        )
        seen += [record["id"] for record in page["results"]]
        if len(page["results"]) < 50:
            break
        last = page["results"][-1]["id"]
    assert seen == [record["id"] for record in clients.walk_crm(f"{OBJECTS}/contacts")]


def test_search_operators(clients: Clients) -> None:
    contacts = clients.walk_crm(f"{OBJECTS}/contacts", properties="email,phone,hs_lead_status,firstname,lastname")
    everything = {c["id"]: c["properties"] for c in contacts}

    def found(*filters: dict[str, Any]) -> set[str]:
        ids: set[str] = set()
        after = "0"
        while True:
            page = search(clients, "contacts", filters=list(filters), limit=200, after=after)
            ids |= {record["id"] for record in page["results"]}
            if "paging" not in page:
                assert page["total"] == len(ids)
                return ids
            after = page["paging"]["next"]["after"]

    some = next(p["email"] for p in everything.values() if p["email"])
    assert found(where("email", "EQ", some.upper())) == {i for i, p in everything.items() if p["email"] == some}
    assert found(where("phone", "HAS_PROPERTY")) == {i for i, p in everything.items() if p["phone"]}
    assert found(where("phone", "NOT_HAS_PROPERTY")) == {i for i, p in everything.items() if not p["phone"]}
    not_new = {i for i, p in everything.items() if p["hs_lead_status"] != "NEW"}
    assert found(where("hs_lead_status", "NEQ", "NEW")) == not_new
    assert found(where("hs_lead_status", "EQ", "new")) == set()
    few = list(everything)[:3]
    assert found({"propertyName": "hs_object_id", "operator": "IN", "values": few}) == set(few)
    assert found(where("hs_object_id", "BETWEEN", few[0], highValue=few[2])) == set(few)
    assert found(where("hs_object_id", "LTE", few[1])) == set(few[:2])
    both = search(
        clients,
        "contacts",
        filterGroups=[{"filters": [where("hs_object_id", "EQ", few[0])]}, {"filters": [where("email", "EQ", some)]}],
    )
    assert both["total"] >= 1


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"after": "9990", "limit": 11},
        {"after": "x"},
        {"filters": [{"propertyName": "email", "operator": "LIKE", "value": "a"}]},
        {"filters": [{"propertyName": "nonsuch", "operator": "EQ", "value": "a"}]},
        {"filters": [{"propertyName": "email", "operator": "EQ"}]},
        {"filters": [{"propertyName": "createdate", "operator": "GT", "value": "soon"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 7}]},
        {"sorts": ["email", "phone"]},
        {"query": "x" * 3_001},
    ],
)
def test_searches_that_are_refused(clients: Clients, body: dict[str, Any]) -> None:
    assert search(clients, "contacts", 400, **body)["status"] == "error"


def test_ten_thousand_is_the_end(clients: Clients) -> None:
    assert search(clients, "contacts", after="9900", limit=100)["results"] == []


def test_the_index_can_lag(own: Clients) -> None:
    id = own.hubspot.get(f"{OBJECTS}/contacts").json()["results"][0]["id"]
    own.hubspot.put("/_sim/settings", json={"search_lag_seconds": 60})
    own.hubspot.patch(f"/_sim/objects/contacts/{id}", json={"properties": {"phone": "+15550001"}})
    body = {"filters": [where("phone", "EQ", "+15550001")]}
    assert search(own, "contacts", **body)["total"] == 0
    assert own.hubspot.get(f"{OBJECTS}/contacts/{id}?properties=phone").json()["properties"]["phone"] == "+15550001"
    own.simulation.set_clock(own.simulation.clock + 60_000)
    assert search(own, "contacts", **body)["total"] == 1


def test_rate_limits(own: Clients) -> None:
    own.hubspot.put("/_sim/settings", json={"rate_limits": True})
    answers = [own.hubspot.get("/crm/owners/2026-09") for _ in range(101)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused[0].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert refused[0].headers["x-hubspot-ratelimit-remaining"] == "0"
    own.hubspot.put("/_sim/settings", json={"rate_limits": True})
    searches = [own.hubspot.post(f"{OBJECTS}/deals/search", json={}) for _ in range(8)]
    limited = [answer.json()["policyName"] for answer in searches if answer.status_code == 429]
    assert set(limited) <= {"SECONDLY"}
