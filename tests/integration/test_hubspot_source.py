"""The HubSpot source against the simulator: what is loaded equals what is there, whatever happens on the way."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oracle import Books, Load, compare_raw, expected_raw
from tests.support.pipeline import HISTORY, Pipeline, empty, query
from tributary.contracts.loader import load_contracts

pytestmark = pytest.mark.emulators

STREAMS = ("companies", "contacts", "deals", "tickets", "owners", "deal_pipelines", "ticket_pipelines", "properties")


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


FIRST_DAY = datetime(2024, 7, 1, tzinfo=UTC)


def tables(*streams: str) -> list[str]:
    contracts = load_contracts("hubspot")
    return [table.name for stream in streams or STREAMS for table in contracts[stream].tables]


def problems(books: Books, loads: Iterable[Load], *streams: str) -> list[str]:
    """How the raw tables differ from what the oracle says of these loads."""
    expected = expected_raw(books, list(loads))
    return [
        problem
        for name in tables(*streams)
        for problem in compare_raw(name, expected[name], query(f"select * from raw.{name}"))
    ]


@pytest.fixture
def books(world: Any) -> Books:
    empty(*tables())
    return Books.of(world.hubspot)


def test_all_tables_equal_the_portal_after_history_and_two_days(world, books):
    for stream in STREAMS:
        Pipeline("hubspot", stream).run(*HISTORY)
    loads = [Load("hubspot", "created", FIRST_DAY, at(4), at(4, 6))]
    assert problems(books, loads) == []
    for day in (4, 5):
        world.clock(f"2026-01-0{day + 1}T06:00:00Z")
        for stream in STREAMS:
            Pipeline("hubspot", stream).run(f"2026-01-0{day - 1}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z")
        loads.append(Load("hubspot", "changed", at(day - 1), at(day + 1), at(day + 1, 6)))
        assert problems(books, loads) == []


#: Everything that can go wrong on the way and passes; each strikes the walk over the contacts.
FAULTS = [
    {"kind": "rate_limit", "reason": "SECONDLY", "path": "*/contacts/search", "times": 2},
    {"kind": "rate_limit", "reason": "TEN_SECONDLY_ROLLING", "path": "*/contacts/batch/read", "times": 2},
    {"kind": "lock_timeout", "path": "*/contacts/batch/read", "after": 5, "times": 1},
    {"kind": "migration", "seconds": 20, "path": "*/contacts/batch/read", "after": 7, "times": 1},
    {"kind": "cloudflare", "status": 521, "path": "*/contacts/search", "after": 3, "times": 1},
    {"kind": "cloudflare", "status": 524, "path": "/crm/associations/*", "after": 3, "times": 1},
    {"kind": "http_error", "status": 502, "path": "/crm/associations/*", "after": 5, "times": 1},
    {"kind": "html_500", "path": "/crm/properties/*", "times": 1},
    {"kind": "unavailable", "path": "*/contacts/batch/read", "after": 11, "times": 1},
    {"kind": "truncated", "path": "*/contacts/batch/read", "after": 13, "times": 2},
    {"kind": "reset", "path": "/crm/associations/*", "after": 9, "times": 1},
    {"kind": "slow", "seconds": 0.2, "path": "*/contacts/search", "after": 5, "times": 1},
    {"kind": "empty_page", "path": "*/contacts/search", "after": 9, "times": 1},
    {"kind": "edit_between_pages", "path": "*/contacts/search", "after": 14, "times": 1},
    {"kind": "merge_between_pages", "path": "*/contacts/search", "after": 30, "times": 1},
    {"kind": "delete_between_pages", "path": "*/objects/2026-09/contacts", "times": 1},
]
#: Those of lists, which history is read by.
LIST_FAULTS = [
    {"kind": "duplicate_page", "path": "*/objects/2026-09/contacts", "after": 3, "times": 2},
    {"kind": "empty_page", "path": "*/objects/2026-09/contacts", "after": 7, "times": 2},
    {"kind": "truncated", "path": "*/objects/2026-09/contacts", "after": 11, "times": 1},
]


@pytest.mark.timeout(1800)
def test_a_world_with_everything_in_it_ends_up_record_by_record(own_world):
    """12,000 contacts changed in one instant; archived, restored and merged ones; 900 properties with hostile names and
    values in every dialect; 150 associations on one record; and every fault on the way."""
    empty(*tables())
    world, books = own_world, Books.of(own_world.hubspot)
    # Later than everything that the simulated company does by itself, which an edit by hand would contradict.
    world.clock("2026-01-10T06:00:00Z")
    world.hubspot_sim("bulk/contacts/import", count=12_000)
    world.hubspot_sim("bulk/contacts/properties", count=900, fill=40)
    world.hubspot_sim("bulk/deals/properties", count=60, fill=10)
    ids = [entry["id"] for entry in world.books("hubspot", "contacts") if not entry["deleted_at"]]
    deal = world.books("hubspot", "deals")[0]["id"]
    world.hubspot_sim("bulk/deal_contacts/link", id=deal, count=150)
    world.faults("hubspot", LIST_FAULTS)
    _load(world, "created", "2024-07-01T00:00:00Z", "2026-01-10T00:00:00Z")
    assert _unused(world) == []
    loads = [Load("hubspot", "created", FIRST_DAY, at(10), at(10, 6))]

    world.clock("2026-01-10T12:00:00Z")
    assert (
        world.hubspot_sim("bulk/contacts/edit", count=12_000, properties={"internal_note": "=1+1"})["edited"] == 12_000
    )
    for id_ in ids[50:60]:
        world.hubspot_sim(f"records/contacts/{id_}/archive")
    world.hubspot_sim(f"records/contacts/{ids[50]}/restore")
    first = world.hubspot_sim(f"records/contacts/{ids[60]}/merge", other=ids[61], keep_id=False)["id"]
    world.hubspot_sim(f"records/contacts/{first}/merge", other=ids[62], keep_id=False)
    world.hubspot_sim(f"records/contacts/{ids[63]}/merge", other=ids[64], keep_id=True)
    world.hubspot_sim(f"records/contacts/{ids[65]}/purge")
    world.hubspot_sim(f"objects/deals/{deal}", method="PATCH", properties={"createdate": "2020-02-02T00:00:00Z"})

    world.clock("2026-01-11T06:00:00Z")
    world.faults("hubspot", FAULTS)
    counts = _load(world, "changed", "2026-01-09T00:00:00Z", "2026-01-11T00:00:00Z")
    assert _unused(world) == []
    assert counts["segments read again"] >= 1
    loads.append(Load("hubspot", "changed", at(9), at(11), at(11, 6)))

    world.faults("hubspot", [])
    world.hubspot_sim(f"records/contacts/{ids[51]}/restore")
    world.clock("2026-01-12T06:00:00Z")
    _load(world, "changed", "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z")
    loads.append(Load("hubspot", "changed", at(10), at(12), at(12, 6)))
    # What a privacy request purged is in no list and no search: only a whole listing tells.
    _load(world, "created", "2024-07-01T00:00:00Z", "2026-01-12T00:00:00Z")
    loads.append(Load("hubspot", "created", FIRST_DAY, at(12), at(12, 6)))
    assert problems(books, loads) == []


def _load(world: Any, axis: str, start: str, end: str) -> dict[str, int]:
    """Every stream, without waiting for what asks to be waited for; the requests and what happened to them."""
    counts: dict[str, int] = {}
    for stream in STREAMS:
        pipeline = Pipeline("hubspot", stream)
        manifest = pipeline.extract(start, end, "whole" if pipeline.contract.daily == "whole" else axis, sleep=_now)
        pipeline.load(manifest)
        for name, count in manifest.requests.items():
            counts[name] = counts.get(name, 0) + count
    return counts


def _unused(world: Any) -> list[str]:
    """Faults that found nothing to strike."""
    return [fault["kind"] for fault in world.struck("hubspot") if fault["struck"] == 0]


def _now(_: float) -> None:
    """Waits are proven elsewhere."""
