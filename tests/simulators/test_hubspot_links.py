"""Associations in bulk: primary companies, many edges, and ids that spoil a batch."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.crm_links import LINKS_BY_NAME, Link
from tests.simulators.conftest import Clients, Validate

OBJECTS = "/crm/objects/2026-09"


def read(clients: Clients, source: str, target: str, inputs: list[dict[str, Any]], status: int = 200) -> dict[str, Any]:
    answer = clients.hubspot.post(f"/crm/associations/2026-09/{source}/{target}/batch/read", json={"inputs": inputs})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("link", LINKS_BY_NAME.values(), ids=LINKS_BY_NAME)
@pytest.mark.parametrize("backwards", [False, True])
def test_edges_agree_with_the_books_from_both_sides(clients: Clients, link: Link, backwards: bool) -> None:
    source, target = (link.target, link.source) if backwards else (link.source, link.target)
    edges = [line["object"] for line in clients.books(link.name) if not line["gone"]]
    here, there = (link.target_field, link.source_field) if backwards else (link.source_field, link.target_field)
    waiting: list[dict[str, Any]] = [{"id": record["id"]} for record in clients.walk_crm(f"{OBJECTS}/{source}")]
    found: set[tuple[str, str]] = set()
    while waiting:
        batch, waiting = waiting[:1000], waiting[1000:]
        answer = clients.hubspot.post(f"/crm/v4/associations/{source}/{target}/batch/read", json={"inputs": batch})
        for result in answer.json()["results"]:
            found |= {(result["from"]["id"], str(other["toObjectId"])) for other in result["to"]}
            if "paging" in result:
                waiting.append({"id": result["from"]["id"], "after": result["paging"]["next"]["after"]})
    assert found == {(edge[here], edge[there]) for edge in edges} != set()


def test_a_ticket_with_more_than_150_contacts(clients: Clients) -> None:
    ticket = next(
        record["id"]
        for record in clients.walk_crm(f"{OBJECTS}/tickets")
        if record["properties"]["subject"].startswith("Outage")
    )
    first = read(clients, "tickets", "contacts", [{"id": ticket}])["results"][0]
    rest = read(clients, "tickets", "contacts", [{"id": ticket, "after": first["paging"]["next"]["after"]}])
    assert len(first["to"]) == 100
    ids = [other["toObjectId"] for other in first["to"] + rest["results"][0]["to"]]
    assert len(set(ids)) == len(ids) >= 150
    assert "paging" not in rest["results"][0]
    whole = clients.hubspot.get(f"/crm/v4/objects/tickets/{ticket}/associations/contacts").json()
    assert [other["toObjectId"] for other in whole["results"]] == ids
    assert clients.hubspot.get(f"/crm/objects/2026-09/tickets/{ticket}/associations/contacts").status_code == 404


def test_the_first_company_is_the_primary_one(clients: Clients) -> None:
    inputs = [{"id": record["id"]} for record in clients.walk_crm(f"{OBJECTS}/contacts")]
    results = read(clients, "contacts", "companies", inputs, 207)["results"]
    types = [[type["typeId"] for type in other["associationTypes"]] for result in results for other in result["to"]]
    assert [279, 1] in types
    company = str(results[0]["to"][0]["toObjectId"])
    back = read(clients, "companies", "contacts", [{"id": company}])["results"][0]["to"][0]["associationTypes"]
    assert [type["typeId"] for type in back][:2] == [280, 2]
    listed = clients.hubspot.get(f"{OBJECTS}/contacts/{results[0]['from']['id']}?associations=companies").json()
    shown = [(other["id"], other["type"]) for other in listed["associations"]["companies"]["results"]]
    assert (company, "contact_to_company") in shown
    assert (company, "contact_to_company_unlabeled") in shown


def test_one_bad_id_spoils_the_batch(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(f"{OBJECTS}/deals")]
    refused = read(own, "deals", "contacts", [{"id": ids[0]}, {"id": "x1"}], 400)
    assert refused["category"] == "VALIDATION_ERROR"
    own.hubspot.put("/_sim/portal", json={"bad_ids": {ids[1]: "batch", ids[2]: "row"}})
    read(own, "deals", "contacts", [{"id": id} for id in ids], 400)
    answer = read(own, "deals", "contacts", [{"id": id} for id in ids if id != ids[1]], 207)
    kinds = {problem["subCategory"]: problem["context"]["fromObjectId"] for problem in answer["errors"]}
    assert kinds["crm.associations.INVALID_OBJECT_ID"] == [ids[2]]
    assert read(own, "deals", "contacts", [])["results"] == []
    assert read(own, "deals", "contacts", [{"id": str(n)} for n in range(1, 1002)], 400)["status"] == "error"


def test_edges_by_the_hundred(own: Clients) -> None:
    company_of = own.walk_crm(f"{OBJECTS}/deals")[0]["id"]
    before = own.hubspot.get(f"{OBJECTS}/deals/{company_of}").json()["updatedAt"]
    own.simulation.clock += 1_000
    answer = own.hubspot.post("/_sim/bulk/deal_contacts/link", json={"id": company_of, "count": 30}).json()
    assert answer["linked"] == 30
    edges = read(own, "deals", "contacts", [{"id": company_of}])["results"][0]["to"]
    assert {str(edge["toObjectId"]) for edge in edges} >= set(answer["ids"])
    deal = own.hubspot.get(f"{OBJECTS}/deals/{company_of}?properties=num_associated_contacts").json()
    assert deal["updatedAt"] > before
    assert deal["properties"]["num_associated_contacts"] == str(len(edges))
    assert own.hubspot.post("/_sim/bulk/deal_contacts/link", json={"id": "1", "count": 3}).status_code == 404
    assert own.hubspot.post("/_sim/bulk/deal_things/link", json={"id": "1", "count": 3}).status_code == 400


def test_a_tickets_edges_do_not_touch_the_ticket(own: Clients) -> None:
    ticket = own.walk_crm(f"{OBJECTS}/tickets")[0]
    contact = own.walk_crm(f"{OBJECTS}/contacts")[-1]["id"]
    own.simulation.clock += 1_000
    url = "/crm/associations/2026-09/contacts/tickets/batch"
    pair = {"from": {"id": contact}, "to": {"id": ticket["id"]}}
    assert own.hubspot.post(f"{url}/create", json={"inputs": [pair]}).status_code == 201
    edges = read(own, "contacts", "tickets", [{"id": contact}])["results"][0]["to"]
    assert int(ticket["id"]) in [edge["toObjectId"] for edge in edges]
    assert own.hubspot.get(f"{OBJECTS}/tickets/{ticket['id']}").json()["updatedAt"] == ticket["updatedAt"]
    ended = {"from": {"id": contact}, "to": [{"id": ticket["id"]}]}
    assert own.hubspot.post(f"{url}/archive", json={"inputs": [ended]}).status_code == 204
    line = next(line for line in own.books("ticket_contacts") if line["id"] == f"{ticket['id']}:{contact}")
    assert line["gone"] == "deleted"
    wrong = {"from": {"id": "1"}, "to": {"id": ticket["id"]}}
    assert own.hubspot.post(f"{url}/create", json={"inputs": [wrong]}).status_code == 207


def test_types_of_new_edges(own: Clients, hubspot_schema: Validate) -> None:
    contact, company = (own.walk_crm(f"{OBJECTS}/{kind}")[0]["id"] for kind in ("contacts", "companies"))
    url = "/crm/v4/associations/companies/contacts/batch"
    ends = {"from": {"id": company}, "to": {"id": contact}}
    made = own.hubspot.post(
        f"{url}/create",
        json={"inputs": [{**ends, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}]}]},
    )
    assert made.status_code == 201
    assert made.json()["results"] == [
        {
            "fromObjectTypeId": "0-2",
            "fromObjectId": company,
            "toObjectTypeId": "0-1",
            "toObjectId": contact,
            "labels": ["Primary"],
        }
    ]
    edges = read(own, "contacts", "companies", [{"id": contact}])["results"][0]["to"]
    (edge,) = (edge for edge in edges if edge["toObjectId"] == int(company))
    assert [type["typeId"] for type in edge["associationTypes"]] == [279, 1]
    plain = own.hubspot.post(f"{url}/associate/default", json={"inputs": [ends]})
    hubspot_schema("BatchResponsePublicDefaultAssociation", plain.json())
    assert plain.json()["results"][0]["associationSpec"]["associationTypeId"] == 280
    wrong: list[list[Any]] = [[{"associationTypeId": 3}], [{}], [3]]
    for types in wrong:
        assert own.hubspot.post(f"{url}/create", json={"inputs": [{**ends, "types": types}]}).status_code == 400
