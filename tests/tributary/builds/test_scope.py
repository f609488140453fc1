"""How much of a build is news."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tributary.builds.scope import MARGIN, Build, in_the_way, news_since, project_checksum


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, number, hour, tzinfo=UTC)


LAST = Build(as_of=day(5), known_at=day(5, 6), project="a", whole=False, done=True)
NEXT = Build(as_of=day(6), known_at=day(6, 6), project="a")


def test_what_was_loaded_since_the_last_build_is_news():
    # something of the 5th that was loaded before the last build wasn't part of it, since it ended with the 4th
    assert news_since(NEXT, [LAST], LAST.known_at) == day(5) - MARGIN
    rebuilt = replace(LAST, as_of=day(7), known_at=day(7, 6))
    assert news_since(replace(NEXT, as_of=day(8), known_at=day(8, 6)), [rebuilt], rebuilt.known_at) == day(7) - MARGIN


def test_a_build_that_failed_is_followed_by_one_of_the_same_kind():
    failed = replace(NEXT, whole=False)
    assert news_since(replace(NEXT, known_at=day(6, 9)), [LAST, failed], failed.known_at) == day(5) - MARGIN
    assert news_since(replace(NEXT, known_at=day(6, 9)), [LAST, replace(failed, whole=True)], failed.known_at) is None


@pytest.mark.parametrize(
    ("build", "before", "held"),
    [
        (NEXT, [], None),
        (NEXT, [LAST], None),  # whoever built the tables last did not say what they know
        (NEXT, [LAST], day(4)),  # a build of the past was left in them
        (replace(NEXT, project="b"), [LAST], LAST.known_at),
        (replace(NEXT, as_of=day(4)), [LAST], LAST.known_at),
        (replace(NEXT, known_at=day(5, 5)), [LAST], LAST.known_at),
        (NEXT, [replace(LAST, done=False)], LAST.known_at),
    ],
    ids=["first", "unknown", "past", "other SQL", "earlier day", "knows less", "none ended"],
)
def test_everything_is_built_when_nothing_can_be_concluded(build, before, held):
    assert news_since(build, before, held) is None


def test_a_build_of_an_earlier_moment_is_in_nobodys_place():
    """What a cleared run of last week, or a trigger for last summer, would replace; whatever came between."""
    past = Build(as_of=day(2), known_at=day(9), project="a")
    assert in_the_way(past, []) is None
    assert in_the_way(NEXT, [LAST, past]) is None
    assert in_the_way(replace(LAST, known_at=day(7)), [LAST]) is None, "the same day, when more is known of it"
    assert in_the_way(past, [LAST]) == LAST
    assert in_the_way(past, [NEXT, past]) == NEXT, "a past that was asked for doesn't make the next one the present"
    assert in_the_way(replace(LAST, known_at=day(5, 1)), [LAST]) == LAST, "the same day, when less was known of it"
    begun = replace(NEXT, done=False)
    assert in_the_way(LAST, [LAST, begun]) == begun, "it may have built some of its marts"


def test_any_change_of_the_project_is_another_project(tmp_path: Path):
    for name in ("dbt_project.yml", "profiles.yml", "models/a.sql", "macros/b.sql", "target/manifest.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    before = project_checksum(tmp_path)
    (tmp_path / "target" / "manifest.json").write_text("2")
    assert project_checksum(tmp_path) == before
    (tmp_path / "macros" / "b.sql").write_text("2")
    assert project_checksum(tmp_path) != before
