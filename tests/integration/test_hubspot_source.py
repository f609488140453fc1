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
