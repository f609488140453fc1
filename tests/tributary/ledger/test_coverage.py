"""What a build waits for."""

from datetime import UTC, datetime

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.ledger.coverage import Loaded, gaps
from tributary.windows import Window

ACME = load_clients("stripe")["acme"]
INVOICES = load_contracts("stripe")["invoices"]
OWNERS = load_contracts("hubspot")["owners"]
LATER = datetime(2026, 1, 9, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def loaded(axis, start, end, observed=LATER, stream="invoices", client="acme"):
    return Loaded(client, stream, axis, start, end, observed)


def missing(need, *rows, contract=INVOICES):
    return [(gap.window.start.day, gap.window.end.day) for gap in gaps(need, [contract], [ACME], rows)]


def test_nothing_loaded_is_all_missing_and_says_what():
    found = gaps(Window(day(4), day(5)), [INVOICES], [ACME], [])
    assert (
        str(found[0])
        == "stripe.invoices of client acme on the changed axis for [2026-01-04T00:00:00Z, 2026-01-05T00:00:00Z)"
    )


def test_loads_add_up_in_any_order():
    need = Window(day(1), day(5))
    assert missing(need, loaded("changed", day(3), day(5)), loaded("changed", day(1), day(2))) == [(2, 3)]
    assert missing(need, loaded("changed", day(2), day(5)), loaded("changed", day(1), day(3))) == []


def test_another_axis_client_or_stream_does_not_count():
    need = Window(day(4), day(5))
    assert missing(need, loaded("created", day(1), day(9))) == [(4, 5)]
    assert missing(need, loaded("changed", day(1), day(9), client="other")) == [(4, 5)]
    assert missing(need, loaded("changed", day(1), day(9), stream="customers")) == [(4, 5)]


def test_a_listing_from_the_first_day_on_covers_the_changes_too():
    since = ACME.since_at
    assert missing(Window(day(1), day(4)), loaded("created", since, day(4))) == []
    middle = datetime(2025, 1, 1, tzinfo=UTC)
    assert missing(Window(day(1), day(4)), loaded("created", since, middle), loaded("created", middle, day(4))) == []
    assert missing(Window(day(1), day(4)), loaded("created", middle, day(4))) == [(1, 4)]


def test_a_listing_in_pieces_covers_changes_up_to_the_first_of_its_readings():
    """What changed in the first piece after it had been read was seen by nobody."""
    since, middle = ACME.since_at, datetime(2025, 1, 1, tzinfo=UTC)
    pieces = [loaded("created", since, middle, observed=day(2)), loaded("created", middle, day(4), observed=day(5))]
    assert missing(Window(day(1), day(4)), *pieces) == [(2, 4)]
    again = loaded("created", since, middle, observed=day(6))
    assert missing(Window(day(1), day(4)), *pieces, again) == []


def test_nothing_is_covered_beyond_the_moment_of_asking():
    assert missing(
        Window(day(4), day(5)), loaded("changed", day(4), day(5), observed=datetime(2026, 1, 4, 12, tzinfo=UTC))
    ) == [(4, 5)]


def test_a_whole_reading_covers_everything_before_its_end():
    need = Window(day(4), day(5))
    assert missing(need, loaded("whole", None, day(5), stream="owners"), contract=OWNERS) == []
    assert missing(need, loaded("whole", None, day(4), stream="owners"), contract=OWNERS) == [(4, 5)]
