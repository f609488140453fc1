"""Everything served has the full shape of the current API."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.world.build import STRIPE_COLLECTIONS
from simulators.world.resources import RESOURCES
from tests.simulators.conftest import Clients, Validate

STRIPE = {name: RESOURCES[name].object for name in STRIPE_COLLECTIONS}


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """The schemas want strings for properties, while HubSpot answers null for those without a value."""
    properties = {name: value for name, value in record["properties"].items() if value is not None}
    return {**record, "properties": properties}


@pytest.mark.parametrize("name", STRIPE)
def test_stripe_lists(clients: Clients, stripe_schema: Validate, name: str) -> None:
    params = {"status": "all"} if name == "subscriptions" else {}
    found = clients.walk(f"/v1/{name}", **params)
    assert found
    for shape in found:
        stripe_schema(STRIPE[name], shape)
        assert list(shape)[:2] == ["id", "object"]
        assert list(shape)[2:] == sorted(list(shape)[2:])


def test_every_version_of_every_stripe_object(clients: Clients, stripe_schema: Validate) -> None:
    store = clients.simulation.world.store
    for name, resource in RESOURCES.items():
        schema = resource.object
        for record in list(store[name].records.values())[::7]:
            for version in record.versions:
                stripe_schema(schema, version.object)


def test_nested_stripe_objects(clients: Clients, stripe_schema: Validate) -> None:
    for subscription in clients.walk("/v1/subscriptions", status="all"):
        for item in subscription["items"]["data"]:
            stripe_schema("subscription_item", item)
            stripe_schema("price", item["price"])
            assert ("quantity" in item) == (item["price"]["recurring"]["usage_type"] == "licensed")
    for invoice in clients.walk("/v1/invoices"):
        for line in invoice["lines"]["data"]:
            stripe_schema("invoice_line_item", line)
    for note in clients.walk("/v1/credit_notes"):
        for line in note["lines"]["data"]:
            stripe_schema("credit_note_line_item", line)


def test_events(clients: Clients, stripe_schema: Validate) -> None:
    events = clients.walk("/v1/events")
    assert len(events) > 500
    for event in events:
        stripe_schema("event", event)
        shape = event["data"]["object"]
        if shape["object"] in STRIPE.values():
            stripe_schema(shape["object"], shape)


def test_expanded_discounts(clients: Clients, stripe_schema: Validate) -> None:
    found = clients.walk("/v1/subscriptions", status="all", **{"expand[]": "data.discounts"})
    discounts = [discount for shape in found for discount in shape["discounts"]]
    assert discounts
    for discount in discounts:
        stripe_schema("discount", discount)


def test_deleted_stub(clients: Clients, stripe_schema: Validate) -> None:
    gone = [line["id"] for line in clients.books("customers") if line["deleted_at"]]
    assert gone
    for id in gone:
        stripe_schema("deleted_customer", clients.stripe.get(f"/v1/customers/{id}").json())


@pytest.mark.parametrize("type", ["contacts", "companies", "deals", "tickets", "2-1234567"])
@pytest.mark.parametrize("archived", ["false", "true"])
def test_hubspot_records(clients: Clients, hubspot_schema: Validate, type: str, archived: str) -> None:
    others = "contacts,companies,deals,tickets"
    found = clients.walk_crm(f"/crm/objects/2026-09/{type}", archived=archived, associations=others)
    assert found
    for record in found:
        hubspot_schema("SimplePublicObjectWithAssociations", without_nulls(record))
        assert record["archived"] == (archived == "true")
        assert all(value is None or isinstance(value, str) for value in record["properties"].values())


def test_hubspot_settings(clients: Clients, hubspot_schema: Validate) -> None:
    for archived in ("false", "true"):
        page = clients.hubspot.get("/crm/owners/2026-09", params={"archived": archived}).json()
        hubspot_schema("CollectionResponsePublicOwnerForwardPaging", page)
        assert page["results"]
    for type in ("deals", "tickets"):
        page = clients.hubspot.get(f"/crm/pipelines/2026-09/{type}").json()
        hubspot_schema("CollectionResponsePipelineNoPaging", page)
        assert page["results"]
    for type in ("contacts", "companies", "deals", "tickets", "2-1234567"):
        page = clients.hubspot.get(f"/crm/properties/2026-09/{type}").json()
        hubspot_schema("CollectionResponsePropertyNoPaging", page)


def test_hubspot_writes(own: Clients, hubspot_schema: Validate) -> None:
    url = "/crm/objects/2026-09/contacts/batch"
    rows = [
        {"id": "new@one.example", "idProperty": "email", "properties": {"phone": "1"}, "objectWriteTraceId": "a"},
        {"id": "bad", "idProperty": "email", "properties": {"email": "bad"}, "objectWriteTraceId": "b"},
    ]
    answer = own.hubspot.post(f"{url}/upsert", json={"inputs": rows})
    assert answer.status_code == 207
    hubspot_schema("BatchResponseSimplePublicUpsertObjectWithErrors", answer.json())
    answer = own.hubspot.post(f"{url}/create", json={"inputs": [{"properties": {"email": "b@one.example"}}]})
    hubspot_schema("BatchResponseSimplePublicObject", answer.json())
    answer = own.hubspot.post(f"{url}/create", json={"inputs": [{"properties": {"no_such": "1"}}]})
    hubspot_schema("StandardError", {"context": {}, "links": {}, "errors": [], **answer.json()})


def test_hubspot_history(clients: Clients, hubspot_schema: Validate) -> None:
    asked: dict[str, str | int] = {"propertiesWithHistory": "lifecyclestage,customer_status", "limit": 50}
    for record in clients.hubspot.get("/crm/objects/2026-09/contacts", params=asked).json()["results"]:
        assert record["propertiesWithHistory"]["lifecyclestage"]
        hubspot_schema("SimplePublicObjectWithAssociations", without_nulls(record))


def test_hubspot_search_and_batches(clients: Clients, hubspot_schema: Validate) -> None:
    page = clients.hubspot.post("/crm/objects/2026-09/contacts/search", json={"limit": 200}).json()
    page["results"] = [without_nulls(record) for record in page["results"]]
    hubspot_schema("CollectionResponseWithTotalSimplePublicObject", page)
    ids = [{"id": record["id"]} for record in page["results"][:50]]
    batch = clients.hubspot.post(
        "/crm/objects/2026-09/contacts/batch/read", json={"inputs": [*ids, {"id": "1"}]}
    ).json()
    batch["results"] = [without_nulls(record) for record in batch["results"]]
    hubspot_schema("BatchResponseSimplePublicObjectWithErrors", batch)


def test_hubspot_associations(clients: Clients, hubspot_schema: Validate) -> None:
    deals = [{"id": record["id"]} for record in clients.walk_crm("/crm/objects/2026-09/deals")]
    answer = clients.hubspot.post("/crm/associations/2026-09/deals/contacts/batch/read", json={"inputs": deals}).json()
    assert answer["results"]
    for result in answer["results"]:
        # On the wire the id is a number, unlike in the SDK's types.
        assert all(isinstance(other["toObjectId"], int) for other in result["to"])
        to = [{**other, "toObjectId": str(other["toObjectId"])} for other in result["to"]]
        hubspot_schema("PublicAssociationMultiWithLabel", {**result, "to": to})
