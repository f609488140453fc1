"""How a range is cut; what then runs is in tests/e2e/test_years_again.py."""

from datetime import date

import pytest

from include.local.backfill import Range
from tributary.plan import MOST_CHUNKS


@pytest.mark.parametrize(
    ("first", "asked", "days"), [(date(2025, 1, 1), None, 30), (date(2010, 1, 1), None, 117), (date(2010, 1, 1), 7, 7)]
)
def test_many_years_are_cut_into_chunks_that_a_run_takes(first: date, asked: int | None, days: int) -> None:
    wanted = Range("ingest_stripe", first, date(2025, 12, 31), chunk_days=asked)
    assert wanted.chunk == days
    assert asked or wanted.days / wanted.chunk <= MOST_CHUNKS - 2
