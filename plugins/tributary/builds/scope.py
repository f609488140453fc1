"""Decides which partitions a dbt build must rebuild. Nothing here asks a warehouse."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

MARGIN = timedelta(hours=1)
"""A load is dated by its last statement and visible when it is committed: later, but never by as much as this."""

PARTS = ("models", "macros", "seeds", "snapshots", "tests", "analyses")


@dataclass(frozen=True)
class Build:
    """One build: the moment that its results are for, the moment up to which observations count, and its SQL."""

    as_of: datetime
    known_at: datetime
    #: Checksum of the dbt project.
    project: str
    #: Whether every partition is built, and not only what was touched.
    whole: bool = True
    done: bool = False


def news_since(build: Build, before: Sequence[Build], held: datetime | None) -> datetime | None:
    """Return the time after which loads count as new for `build`, or None to rebuild everything.

    `before` are the builds from the last one that ended on, in order; `held` is what the tables were known at when they
    were written last, None if that can't be said. Building only what is news is right as long as the SQL is the same,
    time went on, and whatever began in between left no partition behind that was not news to it.
    """
    if not before or held is None:
        return None
    last, begun = before[0], before[1:]
    went_back = build.as_of < last.as_of or build.known_at < last.known_at or held < last.known_at
    if not last.done or went_back or build.project != last.project or any(other.whole for other in begun):
        return None
    return min(last.as_of, last.known_at) - MARGIN


def in_the_way(build: Build, before: Sequence[Build]) -> Build | None:
    """The newest of the builds begun before whose results `build` would replace with older ones; None where it
    replaces no newer results."""
    newest = max(before, key=lambda other: (other.as_of, other.known_at), default=None)
    return newest if newest and (build.as_of, build.known_at) < (newest.as_of, newest.known_at) else None


def project_checksum(project: Path) -> str:
    """Checksum over everything in a dbt project that decides what it builds."""
    files = [project / "dbt_project.yml", project / "profiles.yml"]
    for part in PARTS:
        files += sorted(path for path in (project / part).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(project)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
