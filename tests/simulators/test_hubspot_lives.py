"""Records that are archived, restored, erased or merged: by the API, by hand, and both kinds of merge."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.crm_edits import FIRST_ID
from simulators.world.moments import DAY, iso
from tests.simulators.conftest import DEMO, Clients

OBJECTS = "/crm/objects/2026-09"
CONTACTS = f"{OBJECTS}/contacts"


def two_with_company(clients: Clients) -> tuple[str, str, str]:
    """Two contacts with addresses, the second with a company; and that company."""
    contacts = [r["id"] for r in clients.walk_crm(CONTACTS) if r["properties"]["email"]]
    edges = [line["object"] for line in clients.books("contact_companies") if not line["gone"]]
    company = {edge["contact_id"]: edge["company_id"] for edge in edges}
    second = next(id for id in contacts if id in company)
    first = next(id for id in contacts if id not in company or company[id] != company[second])
    return first, second, company[second]


def entry(clients: Clients, kind: str, id: str) -> dict[str, Any]:
    return next(line for line in clients.books(kind) if line["id"] == id)


def ids_of(clients: Clients, path: str, **params: str) -> set[str]:
    return {record["id"] for record in clients.walk_crm(path, **params)}


def merge(clients: Clients, kind: str, first: str, second: str) -> dict[str, Any]:
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    answer = clients.hubspot.post(f"{OBJECTS}/{kind}/merge", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_archive_and_restore(own: Clients) -> None:
    _, id, company = two_with_company(own)
    before = own.hubspot.get(f"{CONTACTS}/{id}?properties=phone,email&associations=companies").json()
    own.simulation.clock += 1_000
    assert own.hubspot.delete(f"{CONTACTS}/{id}").status_code == 204
    assert id in ids_of(own, CONTACTS, archived="true")
    assert id not in ids_of(own, CONTACTS)
    own.simulation.clock += 5 * DAY
    restored = own.hubspot.post(f"/_sim/records/contacts/{id}/restore")
    assert restored.status_code == 200
    after = own.hubspot.get(f"{CONTACTS}/{id}?properties=phone,email&associations=companies").json()
    assert after["associations"] == before["associations"]
    assert company in str(after["associations"])
    assert after["properties"]["email"] == before["properties"]["email"]
    assert after["createdAt"] == before["createdAt"]
    assert after["updatedAt"] == iso(own.simulation.clock)
    assert after["archived"] is False
    assert "archivedAt" not in after
    assert id not in ids_of(own, CONTACTS, archived="true")
    assert entry(own, "contacts", id)["gone"] is None
    assert own.hubspot.post(f"/_sim/records/contacts/{id}/restore").status_code == 404


def test_the_recycle_bin_is_emptied_after_90_days(own: Clients) -> None:
    own.simulation.clock = DEMO - 100 * DAY
    id = own.walk_crm(CONTACTS)[0]["id"]
    own.hubspot.delete(f"{CONTACTS}/{id}")
    own.simulation.clock = DEMO - 11 * DAY
    assert id in ids_of(own, CONTACTS, archived="true")
    own.simulation.clock = DEMO
    assert id not in ids_of(own, CONTACTS, archived="true")
    assert own.hubspot.get(f"{CONTACTS}/{id}?archived=true").status_code == 404


def test_erasing_leaves_nothing(own: Clients) -> None:
    records = [r for r in own.walk_crm(CONTACTS) if r["properties"]["email"]]
    first, second = records[0], records[1]
    url = f"{CONTACTS}/gdpr-delete"
    assert own.hubspot.post(url, json={"objectId": first["id"]}).status_code == 204
    by_email = {"objectId": second["properties"]["email"], "idProperty": "email"}
    assert own.hubspot.post(url, json=by_email).status_code == 204
    for record in (first, second):
        assert own.hubspot.get(f"{CONTACTS}/{record['id']}").status_code == 404
        assert record["id"] not in ids_of(own, CONTACTS, archived="true") | ids_of(own, CONTACTS)
        assert entry(own, "contacts", record["id"])["gone"] == "purged"
    assert own.hubspot.post(url, json={"objectId": first["id"]}).status_code == 404


@pytest.mark.parametrize("keep", [False, True])
def test_merging_contacts(own: Clients, keep: bool) -> None:
    own.hubspot.put("/_sim/portal", json={"merge_keeps_id": keep})
    first, second, company = two_with_company(own)
    mine, theirs = (entry(own, "contacts", id)["object"]["properties"] for id in (first, second))
    own.simulation.clock += 1_000
    at = own.simulation.clock
    merged = merge(own, "contacts", first, second)
    assert (merged["id"] == first) is keep
    assert keep or int(merged["id"]) >= FIRST_ID
    assert merged["createdAt"] == (mine if keep else min(mine, theirs, key=lambda p: p["createdate"]))["createdate"]
    names = "email,hs_additional_emails,hs_merged_object_ids,hs_calculated_merged_vids"
    for id in {first, second, merged["id"]}:
        found = own.hubspot.get(f"{CONTACTS}/{id}", params={"properties": names}).json()
        assert found["id"] == merged["id"]
        gone = [second] if keep else [first, second]
        assert found["properties"]["hs_merged_object_ids"].split(";")[-len(gone) :] == gone
        vids = found["properties"]["hs_calculated_merged_vids"].split(";")[-len(gone) :]
        assert vids == [f"{id}:{at}" for id in gone]
        assert found["properties"]["email"] == mine["email"]
        assert theirs["email"] in found["properties"]["hs_additional_emails"].split(";")
    live = ids_of(own, CONTACTS)
    assert merged["id"] in live
    assert second not in live
    assert (first in live) is keep
    read = own.hubspot.post(f"{CONTACTS}/batch/read", json={"inputs": [{"id": second}, {"id": merged["id"]}]}).json()
    assert [record["id"] for record in read["results"]] == [merged["id"]]
    by_old = own.hubspot.get(f"{CONTACTS}/{theirs['email']}", params={"idProperty": "email"}).json()
    assert by_old["id"] == merged["id"]
    assert entry(own, "contacts", second)["merged_into"] == merged["id"]
    links = own.hubspot.get(f"/crm/v4/objects/contacts/{merged['id']}/associations/companies").json()["results"]
    assert int(company) in [other["toObjectId"] for other in links]


@pytest.mark.parametrize("kind", ["companies", "deals", "tickets"])
def test_merging_other_records_twice(own: Clients, kind: str) -> None:
    ids = [record["id"] for record in own.walk_crm(f"{OBJECTS}/{kind}")][:3]
    once = merge(own, kind, ids[0], ids[1])
    twice = merge(own, kind, once["id"], ids[2])
    assert twice["properties"]["hs_merged_object_ids"].split(";")[-4:] == [ids[0], ids[1], once["id"], ids[2]]
    for id in (*ids, once["id"]):
        assert own.hubspot.get(f"{OBJECTS}/{kind}/{id}").json()["id"] == twice["id"]


def test_merges_that_are_refused(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(CONTACTS)][:2]
    url = f"{CONTACTS}/merge"
    assert own.hubspot.post(url, json={"primaryObjectId": ids[0], "objectIdToMerge": ids[0]}).status_code == 400
    assert own.hubspot.post(url, json={"primaryObjectId": ids[0], "objectIdToMerge": "1"}).status_code == 404
    many = ";".join(str(number) for number in range(1, 251))
    own.hubspot.patch(f"/_sim/objects/contacts/{ids[0]}", json={"hs_merged_object_ids": many})
    assert own.hubspot.post(url, json={"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}).status_code == 400


def test_records_by_hand(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(CONTACTS)][:3]
    assert own.hubspot.post(f"/_sim/records/contacts/{ids[0]}/archive").json() == {"archived": ids[0]}
    assert own.hubspot.post(f"/_sim/records/contacts/{ids[0]}/archive").status_code == 404
    assert own.hubspot.post(f"/_sim/records/contacts/{ids[0]}/purge").json() == {"purged": ids[0]}
    body = {"other": ids[2], "keep_id": True}
    assert own.hubspot.post(f"/_sim/records/contacts/{ids[1]}/merge", json=body).json()["id"] == ids[1]
    assert own.hubspot.post(f"/_sim/records/nonsense/{ids[1]}/archive").status_code == 400
    assert own.hubspot.post(f"/_sim/records/contacts/{ids[1]}/merge", json={"other": "1"}).status_code == 404


def test_creation_dates_can_be_edited(own: Clients) -> None:
    deal = own.walk_crm(f"{OBJECTS}/deals")[0]["id"]
    given = {"properties": {"createdate": "2025-02-03T04:05:06.000Z"}}
    changed = own.hubspot.patch(f"{OBJECTS}/deals/{deal}", json=given).json()
    assert changed["createdAt"] == changed["properties"]["createdate"] == "2025-02-03T04:05:06.000Z"
    window = [{"propertyName": "createdate", "operator": "BETWEEN", "value": "2025-02-03", "highValue": "2025-02-04"}]
    found = own.hubspot.post(f"{OBJECTS}/deals/search", json={"filters": window}).json()
    assert deal in [record["id"] for record in found["results"]]
    assert entry(own, "deals", deal)["created"] == "2025-02-03T04:05:06.000Z"
