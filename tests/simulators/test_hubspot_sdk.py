"""The official SDK (paths of v3 and v4) lists, searches and batch-reads the same objects as are in the books."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.crm.associations.v4 import (  # type: ignore[import-untyped]
    BatchInputPublicFetchAssociationsBatchRequest,
)
from hubspot.crm.objects import (  # type: ignore[import-untyped]
    ApiException,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectInputForCreate,
)

from simulators.hubspot.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from simulators.simulation import HUBSPOT_TOKEN
from simulators.world.crm_links import LINKS_BY_NAME
from simulators.world.crm_types import OBJECT_TYPES
from simulators.world.moments import DAY, iso, parse
from tests.simulators.conftest import DEMO

ROOT = Path(__file__).resolve().parents[2]
#: What the SDK is asked for; for the custom object it is the number of its type.
TYPES = {kind: type.id if kind == "workspaces" else kind for kind, type in OBJECT_TYPES.items()}
RECYCLED_SINCE = iso(DEMO - 90 * DAY)

Record = dict[str, Any]


class Portal:
    """A running simulator, the SDK that talks to it, and its books."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sdk = HubSpot(access_token=HUBSPOT_TOKEN, host=url)

    def books(self, collection: str) -> list[Record]:
        answer = requests.get(f"{self.url}/_sim/books/{collection}", timeout=30)
        return [json.loads(line) for line in answer.text.splitlines()]

    def live(self, collection: str) -> dict[str, Record]:
        return {line["id"]: line["object"] for line in self.books(collection) if not line["gone"]}

    def listed(self, kind: str, *, archived: bool = False) -> list[Any]:
        names = sorted(self.property_names(kind))
        found: list[Any] = []
        after = None
        while True:
            page = self.sdk.crm.objects.basic_api.get_page(
                TYPES[kind], limit=100, after=after, archived=archived, properties=names
            )
            found += page.results
            if page.paging is None:
                return found
            after = page.paging.next.after

    def property_names(self, kind: str) -> set[str]:
        return {property.name for property in self.sdk.crm.properties.core_api.get_all(TYPES[kind]).results}


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    ports = ("--stripe-port", "0", "--hubspot-port", "0", "--customers", "200")
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators", "serve", *ports], cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    urls = [process.stdout.readline().split(" on ")[1].strip() for _ in range(2)]
    assert process.stdout.readline().startswith("ready in ")
    yield Portal(urls[1])
    process.terminate()
    assert process.wait(10) == 0


def same(found: list[Any], books: dict[str, Record]) -> None:
    """Ids, properties and stamps of the SDK's objects are those of the books."""
    assert len(found) == len(books) > 0
    for record in found:
        expected = books[record.id]
        assert record.properties == expected["properties"]
        assert stamp(record.created_at) == parse(expected["createdAt"])
        assert stamp(record.updated_at) == parse(expected["updatedAt"])
        assert bool(record.archived) == expected["archived"]


def stamp(moment: datetime) -> int:
    return parse(moment.isoformat())


@pytest.mark.parametrize("kind", TYPES)
def test_lists(portal: Portal, kind: str) -> None:
    same(portal.listed(kind), portal.live(kind))
    archived = {
        line["id"]: line["object"]
        for line in portal.books(kind)
        if line["gone"] == "archived" and line["deleted_at"] > RECYCLED_SINCE
    }
    same(portal.listed(kind, archived=True), archived)


@pytest.mark.parametrize("kind", TYPES)
def test_searches(portal: Portal, kind: str) -> None:
    books = portal.live(kind)
    modified, start = OBJECT_TYPES[kind].modified, DEMO - 60 * DAY
    expected = {id: shape for id, shape in books.items() if start <= parse(shape["updatedAt"]) < DEMO}
    found: list[Any] = []
    last = "0"
    while True:
        request = PublicObjectSearchRequest(
            filter_groups=[
                {
                    "filters": [
                        {"propertyName": modified, "operator": "GTE", "value": str(start)},
                        {"propertyName": modified, "operator": "LT", "value": str(DEMO)},
                        {"propertyName": "hs_object_id", "operator": "GT", "value": last},
                    ]
                }
            ],
            sorts=["hs_object_id"],
            properties=sorted(portal.property_names(kind)),
            limit=200,
        )
        page = portal.sdk.crm.objects.search_api.do_search(TYPES[kind], public_object_search_request=request)
        found += page.results
        assert page.total == len(expected) - len(found) + len(page.results)
        if page.paging is None:
            break
        last = page.results[-1].id
    same(found, expected)


@pytest.mark.parametrize("kind", TYPES)
def test_batches(portal: Portal, kind: str) -> None:
    books = portal.live(kind)
    names = sorted(portal.property_names(kind))
    found: list[Any] = []
    ids = list(books)
    for start in range(0, len(ids), 100):
        request = BatchReadInputSimplePublicObjectId(
            inputs=[{"id": id} for id in ids[start : start + 100]], properties=names, properties_with_history=[]
        )
        found += portal.sdk.crm.objects.batch_api.read(TYPES[kind], request).results
    same(found, books)


def test_history(portal: Portal) -> None:
    changed = 0
    for id in list(portal.live("deals"))[:30]:
        record = portal.sdk.crm.objects.basic_api.get_by_id("deals", id, properties_with_history=["dealstage"])
        values = record.properties_with_history["dealstage"]
        assert values[0].value == record.properties["dealstage"]
        times = [stamp(value.timestamp) for value in values]
        assert times == sorted(times, reverse=True)
        changed += len(values) > 1
    assert changed > 10


def test_owners(portal: Portal) -> None:
    api = portal.sdk.crm.owners.owners_api
    found = [*api.get_page(archived=False).results, *api.get_page(archived=True).results]
    books = {line["id"]: line["object"] for line in portal.books("owners")}
    assert {owner.id: owner.email for owner in found} == {id: shape["email"] for id, shape in books.items()}
    assert {owner.id for owner in found if owner.user_id is None} == {
        id for id, shape in books.items() if shape["archived"]
    }
    assert api.get_by_id(int(found[0].id)).email == found[0].email


@pytest.mark.parametrize(("kind", "collection"), [("deals", "pipelines"), ("tickets", "ticket_pipelines")])
def test_pipelines(portal: Portal, kind: str, collection: str) -> None:
    books = portal.live(collection)
    found = portal.sdk.crm.pipelines.pipelines_api.get_all(kind).results
    assert {pipeline.id for pipeline in found} == set(books)
    for pipeline in found:
        expected = books[pipeline.id]
        assert [(stage.id, stage.label, stage.metadata) for stage in pipeline.stages] == [
            (stage["id"], stage["label"], stage["metadata"]) for stage in expected["stages"]
        ]


@pytest.mark.parametrize("name", LINKS_BY_NAME)
def test_associations(portal: Portal, name: str) -> None:
    link = LINKS_BY_NAME[name]
    expected = {
        (shape[link.source_field], shape[link.target_field]): [type["typeId"] for type in shape["types"]]
        for shape in portal.live(name).values()
    }
    found: dict[tuple[str, str], list[int]] = {}
    waiting: list[Record] = [{"id": id} for id in portal.live(link.source)]
    while waiting:
        batch, waiting = waiting[:1000], waiting[1000:]
        answer = portal.sdk.crm.associations.v4.batch_api.get_page(
            link.source, link.target, BatchInputPublicFetchAssociationsBatchRequest(inputs=batch)
        )
        for result in answer.results:
            for other in result.to:
                found[result._from.id, str(other.to_object_id)] = [type.type_id for type in other.association_types]
            if result.paging and result.paging.next:
                waiting.append({"id": result._from.id, "after": result.paging.next.after})
    assert found == expected


def test_oauth(portal: Portal) -> None:
    token = HubSpot(host=portal.url).oauth.tokens_api.create(
        grant_type="refresh_token", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=REFRESH_TOKEN
    )
    assert token.expires_in == 1800
    page = HubSpot(access_token=token.access_token, host=portal.url).crm.contacts.basic_api.get_page()
    assert page.results


def test_errors(portal: Portal) -> None:
    with pytest.raises(ApiException) as missing:
        portal.sdk.crm.objects.basic_api.get_by_id("contacts", "1")
    assert missing.value.status == 404
    stranger = HubSpot(access_token="wrong", host=portal.url)
    with pytest.raises(ApiException) as refused:
        stranger.crm.objects.basic_api.get_page("contacts")
    assert refused.value.status == 401


def test_writes_come_back(portal: Portal) -> None:
    api = portal.sdk.crm.objects
    made = api.basic_api.create(
        "contacts", SimplePublicObjectInputForCreate(properties={"email": "sdk@one.example", "firstname": "S"})
    )
    assert portal.live("contacts")[made.id]["properties"]["email"] == "sdk@one.example"
    upserts = BatchInputSimplePublicObjectBatchInputUpsert(
        inputs=[
            {"id": "sdk@one.example", "idProperty": "email", "properties": {"lastname": "D"}},
            {"id": "sdk@two.example", "idProperty": "email", "properties": {"lastname": "K"}},
        ]
    )
    results = api.batch_api.upsert("contacts", upserts).results
    assert {result.new for result in results} == {True, False}
    api.basic_api.archive("contacts", made.id)
    gone = {line["id"] for line in portal.books("contacts") if line["gone"] == "archived"}
    assert made.id in gone
