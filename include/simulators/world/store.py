"""The event-sourced store: every object is a list of versions, so its state at any instant is a lookup.

Nothing is ever overwritten. A deletion, an archival and a merge are versions too.
"""

from __future__ import annotations

import gc
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]

#: How an object left: deleted (Stripe), archived (HubSpot's recycle bin), purged (HubSpot, for good), or merged away.
Gone = Literal["deleted", "archived", "purged", "merged"]


@dataclass(slots=True, frozen=True)
class Version:
    """An object from `at` (ms) until the next version. When `gone`, `object` is how it looked last."""

    at: int
    object: JsonObject
    gone: Gone | None = None
    into: str | None = None
    """The id of the object that this one was merged into."""


@dataclass(slots=True)
class Record:
    """One object through time. `created` (ms) is what the object says, which can precede its first version."""

    id: str
    created: int
    versions: list[Version]

    def at(self, clock: int) -> Version | None:
        """The version in force at `clock`; None before the first one."""
        for version in reversed(self.versions):
            if version.at <= clock:
                return version
        return None


@dataclass(slots=True)
class Live:
    """A record as it is at one instant. Not to be changed (it isn't frozen since many of them are made)."""

    id: str
    created: int
    version: Version

    @property
    def object(self) -> JsonObject:
        return self.version.object

    @property
    def gone(self) -> Gone | None:
        return self.version.gone

    @property
    def gone_at(self) -> int | None:
        return self.version.at if self.version.gone else None


@contextmanager
def all_stays() -> Iterator[None]:
    """Looks for no garbage meanwhile: where all that is made stays, looking takes as long as making it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Snapshot:
    """What a collection held at one instant, in the collection's own order, and a place for derived indexes."""

    def __init__(self, rows: list[Live], archived: list[Live]) -> None:
        self.rows = rows
        self.archived = archived
        self.position = {row.id: index for index, row in enumerate(rows)}
        self.derived: dict[str, Any] = {}
        """Indexes that readers build once per snapshot, by name."""

    def get(self, id: str) -> Live | None:
        index = self.position.get(id)
        return None if index is None else self.rows[index]


@dataclass(slots=True, frozen=True, order=True)
class EventEntry:
    """Something the API announces: `record` of `collection` reached version number `version` at `at`."""

    at: int
    sequence: int
    type: str = field(compare=False)
    collection: str = field(compare=False)
    id: str = field(compare=False)
    version: int = field(compare=False)
    """Index of the version that the event shows; for a deletion, the version that ends the object."""


def newest_first(record: Record) -> tuple[Any, ...]:
    """Stripe's order of lists."""
    return (-record.created, record.id)


def ascending_id(record: Record) -> tuple[Any, ...]:
    """HubSpot's order of lists: ids are numbers of differing lengths."""
    return (int(record.id),) if record.id.isdigit() else (1 << 80, record.id)


class Collection:
    """All records of one kind. Versions of a record must be added in the order of time."""

    def __init__(self, name: str, order: Callable[[Record], tuple[Any, ...]]) -> None:
        self.name = name
        self.records: dict[str, Record] = {}
        self._order = order
        self._revision = 0
        self._snapshots: dict[tuple[int, int], Snapshot] = {}

    def create(self, id: str, at: int, object: JsonObject, created: int | None = None) -> None:
        if id in self.records:
            raise ValueError(f"{self.name} {id} exists already")
        self.records[id] = Record(id, at if created is None else created, [Version(at, object)])
        self._revision += 1

    def add_all(self, records: Iterable[Record]) -> None:
        """Adds records that nobody knows yet."""
        self.records.update((record.id, record) for record in records)
        self._revision += 1

    def change(self, id: str, at: int, object: JsonObject) -> int:
        """Adds a version and returns its index."""
        return self._append(id, Version(at, object))

    def remove(self, id: str, at: int, gone: Gone, object: JsonObject | None = None, into: str | None = None) -> int:
        """Ends the object at `at`, returns the index of the version that says so."""
        return self._append(id, Version(at, object or self.latest(id), gone, into))

    def latest(self, id: str) -> JsonObject:
        return self.records[id].versions[-1].object

    def forget_after(self, id: str, at: int) -> None:
        """Drops the versions later than `at`: the object's generated future, when somebody changes it by hand."""
        record = self.records[id]
        record.versions = [version for version in record.versions if version.at <= at]
        if not record.versions:
            del self.records[id]
        self._revision += 1

    def _append(self, id: str, version: Version) -> int:
        versions = self.records[id].versions
        if version.at < versions[-1].at:
            raise ValueError(f"{self.name} {id} changed at {version.at}, before its version of {versions[-1].at}")
        versions.append(version)
        self._revision += 1
        return len(versions) - 1

    def snapshot(self, clock: int) -> Snapshot:
        """The live objects at `clock`, in order. Kept for the clocks asked last, so that paging costs one lookup."""
        key = (clock, self._revision)
        found = self._snapshots.get(key)
        if found is None:
            # What was true before the last change is never asked for again; with it, two clocks (HubSpot's index lags).
            current = [known for known in self._snapshots if known[1] == self._revision][-1:]
            self._snapshots = {known: self._snapshots[known] for known in current}
            with all_stays():
                found = self._snapshots[key] = self._build(clock)
        return found

    def _build(self, clock: int) -> Snapshot:
        rows: list[tuple[tuple[Any, ...], Live]] = []
        archived: list[tuple[tuple[Any, ...], Live]] = []
        for record in self.records.values():
            version = record.at(clock)
            if version is None:
                continue
            live = Live(record.id, record.created, version)
            if version.gone is None:
                rows.append((self._order(record), live))
            elif version.gone == "archived":
                archived.append((self._order(record), live))
        rows.sort(key=lambda row: row[0])
        archived.sort(key=lambda row: row[0])
        return Snapshot([live for _, live in rows], [live for _, live in archived])


class Store:
    """The collections of both services and the log of Stripe's events."""

    def __init__(self, collections: Iterable[Collection]) -> None:
        self.collections = {collection.name: collection for collection in collections}
        self.events: list[EventEntry] = []
        self.event_revision = 0
        """Grows with every change of the log."""
        self._sequence = 0

    def __getitem__(self, name: str) -> Collection:
        return self.collections[name]

    def announce(self, at: int, type: str, collection: str, id: str, version: int) -> None:
        """Adds an event to the log."""
        entry = EventEntry(at, self._sequence, type, collection, id, version)
        self._sequence += 1
        self.event_revision += 1
        if not self.events or self.events[-1] <= entry:
            self.events.append(entry)
        else:
            insort(self.events, entry)

    def forget_after(self, collection: str, id: str, at: int) -> None:
        """Drops an object's generated future, its events included."""
        if id in self[collection].records:
            self[collection].forget_after(id, at)
        self.event_revision += 1
        self.events = [
            event for event in self.events if event.at <= at or event.id != id or event.collection != collection
        ]

    def events_between(self, after: int, until: int) -> list[EventEntry]:
        """Events with `after` < at <= `until`, oldest first."""
        low = bisect_right(self.events, after, key=lambda event: event.at)
        high = bisect_right(self.events, until, key=lambda event: event.at)
        return self.events[low:high]
