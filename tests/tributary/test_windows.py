"""One function computes the window of every run."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tributary.errors import RefusedError
from tributary.windows import Window, parse, run_window, subtract, union

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def window_of(**kwargs):
    arguments = {
        "window_start": None,
        "window_end": None,
        "interval_start": None,
        "interval_end": None,
        "run_after": NOW,
        "now": NOW,
    }
    return run_window(**{**arguments, **kwargs})


def test_a_scheduled_run_covers_its_data_interval():
    assert window_of(interval_start=day(4), interval_end=day(5)) == Window(day(4), day(5))


def test_params_come_first():
    window = window_of(
        window_start="2026-01-01", window_end="2026-01-03T00:00:00+02:00", interval_start=day(4), interval_end=day(5)
    )
    assert window == Window(day(1), datetime(2026, 1, 2, 22, tzinfo=UTC))


def test_without_interval_or_params_it_is_the_last_full_day():
    assert window_of(run_after=datetime(2026, 1, 5, 13, 30, tzinfo=UTC)) == Window(day(4), day(5))


def test_an_empty_interval_is_no_interval():
    assert window_of(interval_start=day(5), interval_end=day(5), run_after=day(5)) == Window(day(4), day(5))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"window_start": "2026-01-05"}, "window_start is set but window_end is not"),
        ({"window_end": "2026-01-05"}, "window_end is set but window_start is not"),
        ({"window_start": "2026-01-05", "window_end": "2026-01-04"}, "ends before it starts"),
        ({"window_start": "2026-01-05", "window_end": "2026-01-05"}, "ends before it starts"),
        ({"window_start": "2026-01-05", "window_end": "2030-01-01"}, "ends in the future"),
        ({"window_start": "yesterday", "window_end": "2026-01-05"}, "'yesterday' is neither"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, message):
    with pytest.raises(RefusedError, match=message):
        window_of(**given)


def test_lookback_stops_at_the_floor_but_never_cuts():
    assert Window(day(4), day(5)).widened(timedelta(days=1), day(1)).start == day(3)
    assert Window(day(4), day(5)).widened(timedelta(days=9), day(2)).start == day(2)
    assert Window(day(4), day(5)).widened(timedelta(days=1), day(9)).start == day(4)


def test_chunks_cover_the_window_without_gap_or_overlap():
    chunks = list(Window(day(1), day(11)).chunks(3))
    assert [chunk.start for chunk in chunks] == [day(1), day(4), day(7), day(10)]
    assert union(chunks) == [Window(day(1), day(11))]
    assert list(Window(day(1), day(11)).chunks(None)) == [Window(day(1), day(11))]


hours = st.integers(min_value=0, max_value=200).map(lambda hour: day(1) + timedelta(hours=hour))
windows = st.tuples(hours, hours).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Window(*pair))


@given(windows, st.lists(windows, max_size=8))
def test_subtract_leaves_exactly_the_hours_that_nothing_covers(need, have):
    def hours_of(*some: Window) -> set[datetime]:
        return {
            w.start + timedelta(hours=n) for w in some for n in range(int((w.end - w.start).total_seconds() // 3600))
        }

    missing = subtract(need, have)
    assert hours_of(*missing) == hours_of(need) - hours_of(*have)
    assert all(window.start < window.end for window in missing)


def test_parse_reads_utc_unless_told_otherwise():
    assert parse("2026-01-05T06:00:00Z") == parse("2026-01-05T06:00:00") == datetime(2026, 1, 5, 6, tzinfo=UTC)
