"""What a run will read, from contracts, clients, Params and the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis
from tributary.errors import RefusedError
from tributary.landing.plan import Outlook, Span, Wish, choose, cuts_by_days, cuts_by_size, items, span
from tributary.windows import Window


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(start, end):
    return Window(at(start), at(end))


SINCE = load_clients("stripe")["acme"].since_at
DAY = days("2026-01-04", "2026-01-05")
MEMORY = timedelta(days=25)


def found(source="stripe", stream="invoices", *, now="2026-01-05T06:00", covered=("2024-07-01", "2026-01-04"), **wish):
    outlook = Outlook(now=at(now), covered=[days(*covered)] if covered else [], feed_memory=MEMORY)
    contract, client = load_contracts(source)[stream], load_clients(source)["acme"]
    return span(contract, client, Wish(**{"window": DAY, **wish}), outlook)


def test_a_daily_run_reads_changes_and_looks_back():
    assert found() == Span(Axis.CHANGED, "the contract's daily axis", days("2026-01-03", "2026-01-05"))


def test_a_collection_without_windows_is_read_whole():
    whole = found("hubspot", "owners")
    assert (whole.axis, whole.window) == (Axis.WHOLE, Window(SINCE, DAY.end))


def test_a_run_makes_up_for_the_days_before_it_that_the_ledger_lacks():
    gap = found(covered=("2024-07-01", "2025-12-28"))
    assert (gap.axis, gap.window) == (Axis.CHANGED, days("2025-12-27", "2026-01-05"))
    assert "the ledger lacks what came after 2025-12-28" in gap.reason


def test_a_hole_in_the_middle_is_made_up_for_too():
    outlook = Outlook(
        now=at("2026-01-05T06:00"),
        covered=[days("2024-07-01", "2025-12-20"), days("2025-12-21", "2026-01-04")],
        feed_memory=MEMORY,
    )
    gap = span(load_contracts("stripe")["invoices"], load_clients("stripe")["acme"], Wish(window=DAY), outlook)
    assert gap.window == days("2025-12-19", "2026-01-05")


def test_a_gap_longer_than_the_feed_reaches_lists_everything_and_says_so():
    gap = found(covered=("2024-07-01", "2025-12-10"))
    assert (gap.axis, gap.window) == (Axis.CREATED, Window(SINCE, DAY.end))
    assert "longer ago than the event feed reaches" in gap.reason


def test_the_first_run_of_all_lists_the_history():
    first = found(covered=None)
    assert (first.axis, first.window) == (Axis.CREATED, Window(SINCE, DAY.end))
    assert "the ledger holds nothing yet" in first.reason


def test_a_window_given_by_hand_is_meant_literally():
    given = found(covered=None, explicit=True)
    assert (given.axis, given.window) == (Axis.CHANGED, days("2026-01-03", "2026-01-05"))


def test_a_backfill_of_an_old_day_closes_no_gap():
    old = found(window=days("2025-06-01", "2025-06-02"), covered=None)
    assert (old.axis, old.window) == (Axis.CREATED, days("2025-05-31", "2025-06-02"))
    assert "older than the event feed" in old.reason


def test_a_window_that_begins_with_the_account_is_listed():
    assert found(window=Window(SINCE, DAY.end), explicit=True).axis == Axis.CREATED


def test_everything_is_one_range_from_the_first_day():
    everything = found(everything=True)
    assert (everything.axis, everything.window) == (Axis.CREATED, Window(SINCE, DAY.end))


def test_a_chosen_axis_is_obeyed():
    assert found(axis="created") == Span(Axis.CREATED, "asked for", days("2026-01-03", "2026-01-05"))


def test_chunks_by_days_and_their_labels():
    contract, client = load_contracts("stripe")["invoices"], load_clients("stripe")["acme"]
    wide = Span(Axis.CREATED, "asked for", days("2024-12-31", "2025-03-01"))
    chunks = list(items(contract, client, wide, cuts_by_days(wide.window, 30)))
    assert [chunk.label for chunk in chunks] == ["acme 2024-12-31..2025-01-30", "acme 2025-01-30..2025-03-01"]
    assert [chunk.window.start for chunk in chunks[1:]] == [chunk.window.end for chunk in chunks[:-1]]


def test_a_large_history_is_cut_where_there_are_records():
    """From the epoch to the oldest record there is one chunk's beginning, and not years of empty chunks."""
    window = days("2010-01-01", "2026-01-05")
    cuts = cuts_by_size(window, at("2024-01-01T13:00"), 1_000_000)
    assert len(cuts) == 7 and cuts == sorted(cuts)
    assert at("2024-01-01") < cuts[0] < at("2024-06-01")
    assert all(cut.hour == cut.minute == 0 for cut in cuts)


def test_a_small_history_is_not_cut():
    assert cuts_by_size(days("2010-01-01", "2026-01-05"), at("2024-01-01"), 9_000) == []


def test_choosing_nothing_is_choosing_all_in_declared_order():
    assert choose("stream", [], ["b", "a"]) == ["b", "a"]
    assert choose("stream", ["a"], ["b", "a"]) == ["a"]


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(RefusedError, match="unknown stream 'invoice'; this DAG has customers, invoices"):
        choose("stream", ["invoice"], ["customers", "invoices"])
