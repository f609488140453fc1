"""A world with everything in it and every fault on the way: the raw tables equal the books, record by record."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import pytest

from local.services import EMULATORS, SIMULATORS
from local.stack import start_stack
from tests.conftest import variables
from tests.oracle import Books, Load, compare_raw, expected_raw
from tests.oracle.raw import Table
from tests.support.pipeline import Pipeline, query
from tests.support.world import World
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis
from tributary.windows import stamp

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(900)]

SINCE = datetime(2024, 7, 1, tzinfo=UTC)
UPGRADED = "2025-12-20T00:00:00Z"
#: What goes wrong on the way and must leave no trace. What is refused, or leads nowhere, has tests of its own.
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "rate_limit", "reason": "global-rate"},
    {"kind": "rate_limit", "reason": "endpoint-rate"},
    {"kind": "rate_limit", "reason": "global-concurrency"},
    {"kind": "rate_limit", "reason": "endpoint-concurrency"},
    {"kind": "rate_limit", "reason": "resource-specific"},
    {"kind": "lock_timeout"},
    {"kind": "html_500"},
    {"kind": "unavailable"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "slow", "seconds": 0.2},
    {"kind": "duplicate_page"},
    {"kind": "empty_page"},
    {"kind": "created_between_pages"},
    {"kind": "delete_between_pages"},
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Services of its own, since the faults delete and add objects."""
    base = tmp_path_factory.mktemp("whole")
    with (
        start_stack((*EMULATORS, *SIMULATORS), base_dir=base, world_customers=120, world_seed=7) as environment,
        variables(environment),
    ):
        world = World.of(environment)
        world.settings("stripe", upgraded_at=UPGRADED)
        yield world


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def load(
    company: World, axis: Axis, start: datetime, end: datetime, faults: tuple[dict[str, Any], ...]
) -> Counter[str]:
    """Every stream, each with some of the faults, in turn; returns what struck."""
    struck: Counter[str] = Counter()
    # Deleting takes the record that a list is walked by: there have to be several pages of what can be deleted.
    deletions = [fault for fault in faults if fault["kind"] == "delete_between_pages"]
    menu = cycle(fault for fault in faults if fault not in deletions)
    for stream, contract in load_contracts("stripe").items():
        pipeline = Pipeline("stripe", stream)
        window = (stamp(start), stamp(end))
        daily = Axis.CREATED if axis == Axis.CREATED else contract.daily
        if axis == Axis.CHANGED and daily == Axis.CREATED:
            window = (stamp(min(start, end - timedelta(days=1) - contract.lookback)), stamp(end))
        chosen = [*(deletions if stream == "prices" else ()), *islice(menu, 6)]
        paths = (contract.request["path"], "/v1/events") if daily == Axis.CHANGED else (contract.request["path"],)
        company.faults("stripe", [{**fault, "path": path} for path in paths for fault in chosen])
        landing = pipeline.extract(*window, daily, sleep=lambda _: None)
        struck += Counter({f["kind"]: f["struck"] for f in company.struck("stripe") if f["struck"]})
        company.faults("stripe", [])
        pipeline.load(landing)
    return struck


def seen(table: str, expected: Table) -> list[dict[str, Any]]:
    """The rows of a table, but for tombstones of objects that a fault took in the moment in which they were read: the
    books know of no moment in which they could have been seen."""
    own = len(next(iter(expected))) == 1
    rows = query(f"select * from raw.{table}")
    return [row for row in rows if not own or row["_deleted_at"] is None or (row["id"],) in expected]


def test_the_raw_tables_equal_the_books_whatever_happens_on_the_way(company: World) -> None:
    company.clock(stamp(day(4)))
    struck = load(company, Axis.CREATED, SINCE, day(4), FAULTS)
    company.clock(stamp(day(7)))
    struck += load(company, Axis.CHANGED, day(3), day(7), FAULTS)
    assert {fault["kind"] for fault in FAULTS} == set(struck), "a fault never struck"
    # What a fault deleted or made while it was read is the next day's affair.
    company.clock(stamp(day(8)))
    load(company, Axis.CHANGED, day(6), day(8), ())
    books = Books.of(company.stripe)
    loads = [
        Load("stripe", "created", SINCE, day(4), day(4)),
        Load("stripe", "changed", day(3), day(7), day(7)),
        Load("stripe", "changed", day(6), day(8), day(8)),
    ]
    expected = {name: rows for name, rows in expected_raw(books, loads).items() if name.startswith("stripe_")}
    assert len(expected) == 19 and all(expected.values())
    problems = [problem for table, rows in expected.items() for problem in compare_raw(table, rows, seen(table, rows))]
    assert not problems, "\n".join(problems)
    rejects = query("select table_name, reason, column_path from ops.rejects")
    drift = query("select table_name, column_path from ops.schema_drift")
    assert (rejects, drift) == ([], [])


def test_this_world_has_everything_in_it(company: World) -> None:
    """Else the test above would prove less than it says."""
    lines = {row["n"] for row in query("select count(*) as n from raw.stripe_invoice_lines group by invoice_id")}
    assert {10, 11, 101, 250} <= lines
    items = query("select count(*) as n from raw.stripe_subscription_items group by subscription_id order by n desc")
    assert items[0]["n"] == 13
    currencies = {row["currency"] for row in query("select distinct currency from raw.stripe_invoices")}
    assert len(currencies) >= 15 and {"jpy", "kwd", "isk", "ugx"} <= currencies
    seconds = query("select created, count(*) as n from raw.stripe_events group by created order by n desc limit 1")
    assert seconds[0]["n"] > 1
    versions = {row["api_version"] for row in query("select distinct api_version from raw.stripe_events")}
    assert versions == {"2025-02-24.acacia", "2026-10-28.endive"}
    for table in ("customers", "coupons", "invoices"):
        gone = query(f"select count(*) as n from raw.stripe_{table} where _deleted_at is not null")[0]["n"]
        assert gone > 0, f"no {table} was deleted"


def test_what_changes_long_after_it_was_made_is_right_after_the_next_day(company: World) -> None:
    """A draft that is finalised and paid 40 days later, a subscription that is cancelled after 200."""
    moments = {
        entry["id"]: (entry["created"], entry["object"]["status_transitions"]["paid_at"])
        for entry in company.books("stripe", "invoices")
        if entry["object"]["status"] == "paid" and entry["deleted_at"] is None
    }
    late = [
        id_
        for id_, (created, paid) in moments.items()
        if datetime.fromtimestamp(paid, UTC) - datetime.fromisoformat(created) >= timedelta(days=40)
    ]
    assert late, "no invoice of this world was paid 40 days after it was made"
    raw = query(f"select id, status from raw.stripe_invoices where id in ({', '.join(repr(id_) for id_ in late)})")
    assert {row["status"] for row in raw} == {"paid"} and len(raw) == len(late)
    cancelled = query(
        "select count(*) as n from raw.stripe_subscriptions "
        "where status = 'canceled' and timestamp_diff(canceled_at, created, day) >= 200"
    )
    assert cancelled[0]["n"] > 0
