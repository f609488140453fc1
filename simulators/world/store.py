"""The event-sourced store: every object is a list of versions, so its state at any instant is a lookup.

Nothing is ever overwritten. A deletion, an archival and a merge are versions too.
"""

from __future__ import annotations

import gc
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from simulators.world.versions import Gone, JsonObject, Stamps, Version

__all__ = ["Collection", "EventEntry", "JsonObject", "Live", "Record", "Snapshot", "Store", "Version"]


@dataclass(slots=True)
class Record:
    """One object through time. It may be created again after it was deleted."""

    id: str
    versions: list[Version]

    @property
    def created(self) -> int:
        """Time of its first creation (ms), by its own account."""
        return self.versions[0].created

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
    version: Version

    @property
    def created(self) -> int:
        return self.version.created

    @property
    def object(self) -> JsonObject:
        """Made anew each time: ask once."""
        return self.version.object

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
    """The content of a collection at one instant, in the collection's own order, with a place for derived indexes."""

    def __init__(self, rows: list[Live], archived: list[Live]) -> None:
        self.rows = rows
        self.archived = archived
        self.position = {row.id: index for index, row in enumerate(rows)}
        self.derived: dict[str, Any] = {}
        """Indexes that readers build once per snapshot, by name."""

    def get(self, id: str) -> Live | None:
        index = self.position.get(id)
        return None if index is None else self.rows[index]

    def having(self, path: str, value: object) -> list[int]:
        """The positions of the rows that have `value` at a dotted path (see `values_at`)."""
        index: dict[object, list[int]] | None = self.derived.get(path)
        if index is None:
            index = defaultdict(list)
            for position, row in enumerate(self.rows):
                for found in dict.fromkeys(values_at(row.object, path)):
                    index[found].append(position)
            self.derived[path] = index
        return index.get(value, [])


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


def newest_first(row: Live) -> tuple[Any, ...]:
    """Stripe's order of lists."""
    return (-row.created, row.id)


def ascending_id(row: Live) -> tuple[Any, ...]:
    """HubSpot's order of lists: ids are numbers of differing lengths."""
    return (int(row.id),) if row.id.isdigit() else (1 << 80, row.id)


def values_at(value: Any, path: str) -> list[Any]:
    """Yield the values at a path such as `items.data.price.id`; lists on the way are searched, null is nothing."""
    found = [value]
    for step in path.split("."):
        inner = [each.get(step) for each in found if isinstance(each, dict)]
        found = [part for each in inner for part in (each if isinstance(each, list) else [each])]
    return [each for each in found if each is not None and not isinstance(each, dict)]


class Collection:
    """All records of one kind. Versions of a record must be added in the order of time."""

    def __init__(self, name: str, order: Callable[[Live], tuple[Any, ...]], stamps: Stamps = ()) -> None:
        self.name = name
        self.records: dict[str, Record] = {}
        self._order = order
        self._stamps = stamps
        self._typical: JsonObject | None = None
        """The first object of all: most of the others have much in common with it."""
        self._revision = 0
        self._snapshots: dict[tuple[int, int], Snapshot] = {}

    def create(self, id: str, at: int, object: JsonObject, created: int | None = None) -> int:
        """Adds an object, also one whose id was in use until it was deleted. Returns the index of its version."""
        version = Version(at, at if created is None else created, object, self._typical, stamps=self._stamps)
        if self._typical is None:
            self._typical = version.object
        record = self.records.get(id)
        if record is None:
            self.records[id] = Record(id, [version])
            self._revision += 1
            return 0
        if not record.versions[-1].gone:
            raise ValueError(f"{self.name} {id} exists already")
        return self._append(record, version)

    def add_all(self, records: Iterable[Record]) -> None:
        """Adds records that nobody knows yet."""
        self.records.update((record.id, record) for record in records)
        self._revision += 1

    def change(self, id: str, at: int, object: JsonObject, created: int | None = None) -> int:
        """Adds a version, which may correct when the object was created, and returns its index."""
        return self._next(id, at, object, created=created)

    def remove(self, id: str, at: int, gone: Gone, object: JsonObject | None = None, into: str | None = None) -> int:
        """Ends the object at `at`, returns the index of the version that says so."""
        return self._next(id, at, object or self.latest(id), gone, into)

    def latest(self, id: str) -> JsonObject:
        return self.records[id].versions[-1].object

    def forget_after(self, id: str, at: int) -> None:
        """Drops the versions later than `at`: the object's generated future, when somebody changes it by hand."""
        record = self.records[id]
        record.versions = [version for version in record.versions if version.at <= at]
        if not record.versions:
            del self.records[id]
        self._revision += 1

    def _next(
        self,
        id: str,
        at: int,
        object: JsonObject,
        gone: Gone | None = None,
        into: str | None = None,
        created: int | None = None,
    ) -> int:
        record = self.records[id]
        created = record.versions[-1].created if created is None else created
        return self._append(record, Version(at, created, object, record.versions[0], gone, into, self._stamps))

    def _append(self, record: Record, version: Version) -> int:
        last = record.versions[-1].at
        if version.at < last:
            raise ValueError(f"{self.name} {record.id} changed at {version.at}, before its version of {last}")
        record.versions.append(version)
        self._revision += 1
        return len(record.versions) - 1

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
        rows: list[Live] = []
        archived: list[Live] = []
        for record in self.records.values():
            version = record.at(clock)
            if version is None:
                continue
            if version.gone is None:
                rows.append(Live(record.id, version))
            elif version.gone == "archived":
                archived.append(Live(record.id, version))
        rows.sort(key=self._order)
        archived.sort(key=self._order)
        return Snapshot(rows, archived)


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
