"""Answers of HubSpot that are odd or too much for something on the way: nothing is lost, and nothing stands still."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.test_hubspot_walk import live, records
from tests.support.altered import altered, in_json
from tests.support.pipeline import HISTORY, Pipeline, empty, query, warehouse
from tests.support.world import World
from tributary.warehouse.tables import ensure_tables

pytestmark = pytest.mark.emulators

TICKETS = "/crm/objects/2026-09/tickets"


@pytest.fixture
def narrow(world: World) -> Iterator[World]:
    """A world with something between the client and HubSpot that takes shorter URLs than HubSpot."""
    yield world
    world.settings("hubspot", url_limit=None)


def fresh(stream: str) -> Pipeline:
    pipeline = Pipeline("hubspot", stream)
    ensure_tables(warehouse(), pipeline.contract, {})
    empty(*(table.name for table in pipeline.contract.tables))
    query(f"delete from ops.rejects where stream = '{stream}'")
    return pipeline


@pytest.mark.parametrize("stream", ["contacts", "deals"])
def test_urls_that_are_too_long_on_the_way_are_avoided(narrow: World, stream: str) -> None:
    """Ids only, then read by batch: with HubSpot's own limit far away."""
    whole = Pipeline("hubspot", stream).extract(*HISTORY)
    lengths = [len(r["path"] + r["query"]) for r in narrow.requests("hubspot") if r["path"].endswith(f"/{stream}")]
    limit = max(lengths) - 20
    narrow.settings("hubspot", url_limit=limit)
    by_id = Pipeline("hubspot", stream).extract(*HISTORY)
    assert sorted(live(by_id)) == sorted(live(whole))
    assert by_id.records == whole.records
    assert by_id.children == whole.children
    first = {record["id"]: record["properties"] for record in records(whole)}
    assert all(record["properties"] == first[record["id"]] for record in records(by_id))
    assert by_id.requests["http 414"] == 1, "asked once, and never again"


def test_a_page_that_is_too_heavy_comes_in_smaller_pieces(world: World) -> None:
    whole = Pipeline("hubspot", "contacts").extract(*HISTORY)

    def cut(path: str, body: bytes) -> bytes:
        return body[:20_000] if path.startswith("/crm/objects") else body

    with altered("hubspot", cut):
        pieces = Pipeline("hubspot", "contacts").extract(*HISTORY, sleep=lambda _: None)
    assert sorted(live(pieces)) == sorted(live(whole))
    assert pieces.records == whole.records
    assert pieces.requests["retries"] > 0


@pytest.mark.parametrize(
    ("name", "value", "rejected"), [("id", 880_011, (0,)), ("id", None, (1,)), ("archived", "no", (0, 1))]
)
def test_one_odd_record_does_not_hold_up_its_page(world: World, name: str, value: Any, rejected: tuple[int]) -> None:
    pipeline = fresh("tickets")
    done: list[int] = []

    def make_odd(page: Any) -> None:
        if page["results"] and not done:
            page["results"][0][name] = value
            done.append(1)

    with altered("hubspot", in_json(TICKETS, make_odd)):
        landing = pipeline.extract(*HISTORY)
    counts = pipeline.load(landing)["hubspot_tickets"]
    assert done
    assert counts["received"] == counts["loaded"] + counts["rejected"] + counts["duplicate"] > 1
    assert counts["rejected"] in rejected


def test_ids_and_cursors_that_come_as_numbers(world: World) -> None:
    whole = Pipeline("hubspot", "contacts").extract(*HISTORY)

    def in_numbers(page: Any) -> None:
        for record in page["results"]:
            record["id"] = int(record["id"])
        if "paging" in page:
            page["paging"]["next"]["after"] = int(page["paging"]["next"]["after"])

    path = "/crm/objects/2026-09/contacts"
    with altered("hubspot", in_json(path, in_numbers)), altered("hubspot", in_json(f"{path}/batch/read", in_numbers)):
        found = Pipeline("hubspot", "contacts").extract(*HISTORY)
    assert found.records == whole.records
    assert found.children == whole.children
    assert sorted(map(str, live(found))) == sorted(live(whole))
