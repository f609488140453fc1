"""Writing records and properties: what one bad row does to a batch, and what HubSpot does to values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulators.conftest import Clients

CONTACTS = "/crm/objects/2026-09/contacts"
PROPERTIES = "/crm/properties/2026-09/contacts"


def batch(clients: Clients, what: str, *inputs: dict[str, Any], status: int) -> dict[str, Any]:
    answer = clients.hubspot.post(f"{CONTACTS}/batch/{what}", json={"inputs": list(inputs)})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def addresses(clients: Clients) -> list[str]:
    contacts = clients.walk_crm(CONTACTS)
    return [record["properties"]["email"] for record in contacts if record["properties"]["email"]]


def shown(clients: Clients, id: str, *names: str) -> dict[str, Any]:
    answer = clients.hubspot.get(f"{CONTACTS}/{id}", params={"properties": ",".join(names)})
    found: dict[str, Any] = answer.json()["properties"]
    return found


def test_one_record_through_its_life(own: Clients) -> None:
    made = own.hubspot.post(CONTACTS, json={"properties": {"email": "n@one.example", "annual_budget": 12.5}})
    assert made.status_code == 201
    id = made.json()["id"]
    assert int(id) > max(int(line["id"]) for line in own.books("companies"))
    own.simulation.clock += 1_000
    changed = own.hubspot.patch(f"{CONTACTS}/{id}", json={"properties": {"phone": "1"}})
    assert (changed.status_code, changed.json()["updatedAt"]) == (200, own.books("contacts")[-1]["updated"])
    by_email = f"{CONTACTS}/n@one.example?idProperty=email"
    assert own.hubspot.patch(by_email, json={"properties": {"phone": ""}}).status_code == 200
    assert shown(own, id, "phone", "annual_budget")["phone"] == ""
    assert own.hubspot.patch(f"{CONTACTS}/1", json={"properties": {}}).status_code == 404
    assert own.hubspot.delete(f"{CONTACTS}/{id}").status_code == 204
    assert own.hubspot.get(f"{CONTACTS}/{id}").status_code == 404
    assert own.hubspot.delete(f"{CONTACTS}/{id}").status_code == 204


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"no_such": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"createdate": "2026-01-01"}, "READ_ONLY_VALUE"),
        ({"days_since_lead": "3"}, "READ_ONLY_VALUE"),
        ({"email": "nobody"}, "INVALID_EMAIL"),
        ({"annual_budget": "1,234.50"}, "INVALID_DOUBLE"),
        ({"newsletter_optout": "yes"}, "INVALID_BOOLEAN"),
        ({"birthday": "tomorrow"}, "INVALID_DATE"),
        ({"birthday": "1767225600001"}, "INVALID_DATE"),
        ({"customer_status": "Active"}, "INVALID_OPTION"),
        ({"interests": "reporting;cats"}, "INVALID_OPTION"),
    ],
)
def test_values_that_are_refused(clients: Clients, values: dict[str, str], error: str) -> None:
    answer = clients.hubspot.post(CONTACTS, json={"properties": values})
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    text = answer.json()["message"].removeprefix("Property values were not valid: ")
    assert [problem["error"] for problem in json.loads(text)] == [error]


def test_what_happens_to_values(own: Clients) -> None:
    made = own.hubspot.post(CONTACTS, json={"properties": {"lifecyclestage": "opportunity", "interests": "reporting"}})
    id = made.json()["id"]
    url = f"{CONTACTS}/{id}"
    own.hubspot.patch(url, json={"properties": {"lifecyclestage": "lead", "interests": ";audit log;reporting"}})
    assert shown(own, id, "lifecyclestage", "interests")["lifecyclestage"] == "opportunity"
    assert shown(own, id, "interests")["interests"] == "reporting;audit log"
    own.hubspot.patch(url, json={"properties": {"lifecyclestage": ""}})
    own.hubspot.patch(url, json={"properties": {"lifecyclestage": "lead"}})
    assert shown(own, id, "lifecyclestage")["lifecyclestage"] == "lead"


def test_one_bad_row_fails_the_batch(own: Clients) -> None:
    known = addresses(own)
    before = len(own.books("contacts"))
    good = {"properties": {"email": "good@one.example"}}
    refused = batch(own, "create", good, {"properties": {"email": "bad"}}, status=400)
    assert "INVALID_EMAIL" in refused["message"]
    conflict = batch(own, "create", good, {"properties": {"email": known[0]}}, status=409)
    assert conflict["category"] == "CONFLICT"
    assert conflict["message"].startswith("Contact already exists. Existing ID: ")
    batch(own, "create", good, good, status=400)
    assert len(own.books("contacts")) == before
    batch(own, "create", *[{"properties": {}}] * 101, status=400)


def test_trace_ids_make_rows_fail_alone(own: Clients) -> None:
    known = addresses(own)
    rows = [
        {"properties": {"email": "good@one.example"}, "objectWriteTraceId": "a"},
        {"properties": {"email": "bad"}, "objectWriteTraceId": "b"},
        {"properties": {"email": known[0]}, "objectWriteTraceId": "c"},
    ]
    answer = batch(own, "create", *rows, status=207)
    assert [result["objectWriteTraceId"] for result in answer["results"]] == ["a"]
    assert answer["numErrors"] == 2
    assert [error["context"]["objectWriteTraceId"] for error in answer["errors"]] == [["b"], ["c"]]
    assert [error["category"] for error in answer["errors"]] == ["VALIDATION_ERROR", "CONFLICT"]
    # A trace id that two rows share is none.
    batch(
        own, "create", {**rows[1], "objectWriteTraceId": "a"}, {"properties": {}, "objectWriteTraceId": "a"}, status=400
    )


def test_no_inputs_is_a_silent_nothing(clients: Clients) -> None:
    for what, status in (("create", 201), ("update", 200), ("upsert", 200)):
        answer = clients.hubspot.post(f"{CONTACTS}/batch/{what}", json={"rows": [{}]})
        assert (answer.status_code, answer.json()["results"]) == (status, [])
    assert clients.hubspot.post(f"{CONTACTS}/batch/rename", json={}).status_code == 404


def test_updates(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(CONTACTS)[:2]]
    rows = [{"id": id, "properties": {"phone": f"+{id}"}} for id in ids]
    answer = batch(own, "update", *rows, status=200)
    assert {result["id"] for result in answer["results"]} == set(ids)
    partly = batch(own, "update", rows[0], {"id": "1", "properties": {}}, status=207)
    assert partly["errors"][0]["context"] == {"ids": ["1"]}
    assert shown(own, ids[1], "phone")["phone"] == f"+{ids[1]}"


def test_upserts(own: Clients) -> None:
    known = addresses(own)
    rows = [
        {"id": known[0], "idProperty": "email", "properties": {"phone": "+1"}},
        {"id": "new@one.example", "idProperty": "email", "properties": {"phone": "+2"}},
    ]
    results = batch(own, "upsert", *rows, status=200)["results"]
    assert sorted(result["new"] for result in results) == [False, True]
    again = batch(own, "upsert", *rows, status=200)["results"]
    assert [result["new"] for result in again] == [False, False]
    by_key = {"id": "bk-mine", "idProperty": "billing_key", "properties": {"phone": "+3"}}
    assert batch(own, "upsert", by_key, status=200)["results"][0]["properties"]["billing_key"] == "bk-mine"
    batch(own, "upsert", {"id": "x", "idProperty": "phone", "properties": {}}, status=400)
    batch(own, "upsert", {**rows[0], "properties": {"email": "other@one.example"}}, status=400)
    batch(own, "upsert", rows[0], rows[0], status=400)


def test_archiving_in_a_batch(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(CONTACTS)[:3]]
    batch(own, "archive", *({"id": id} for id in [*ids, "1"]), status=204)
    assert set(ids) <= {record["id"] for record in own.walk_crm(CONTACTS, archived="true")}


def test_properties_are_made_once(own: Clients) -> None:
    given = {"name": "clv", "label": "CLV", "groupName": "contactinformation", "type": "number", "fieldType": "number"}
    assert own.hubspot.post(PROPERTIES, json=given).status_code == 201
    assert own.hubspot.post(PROPERTIES, json=given).json()["category"] == "OBJECT_ALREADY_EXISTS"
    assert own.hubspot.post(PROPERTIES, json={**given, "name": "Two words"}).status_code == 400
    assert own.hubspot.post(PROPERTIES, json={"name": "x"}).status_code == 400
    id = own.walk_crm(CONTACTS)[0]["id"]
    assert shown(own, id, "clv")["clv"] is None
    assert own.hubspot.patch(f"{CONTACTS}/{id}", json={"properties": {"clv": "99.5"}}).status_code == 200
    found = own.hubspot.post(
        f"{CONTACTS}/search", json={"filters": [{"propertyName": "clv", "operator": "GT", "value": "99"}]}
    )
    assert [record["id"] for record in found.json()["results"]] == [id]
    read = own.hubspot.post(f"{PROPERTIES}/batch/read", json={"inputs": [{"name": "clv"}, {"name": "none"}]})
    assert (read.status_code, [each["name"] for each in read.json()["results"]]) == (207, ["clv"])
    assert own.hubspot.delete(f"{PROPERTIES}/email").status_code == 400
    assert own.hubspot.delete(f"{PROPERTIES}/clv").status_code == 204
    assert "clv" not in shown(own, id, "clv")
    unique = {**given, "hasUniqueValue": True, "type": "string", "fieldType": "text"}
    statuses = [own.hubspot.post(PROPERTIES, json={**unique, "name": f"key_{n}"}).status_code for n in range(10)]
    assert statuses == [201] * 9 + [400], "billing_key is the tenth"
