"""Edits of HubSpot's records at an instant, after the world was generated: what people, the API and faults do.

Each edit ends the future that was generated for the record. Errors are LookupError (no such record) and ValueError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.world.crm_links import LINKS_BY_NAME, Link, link_between
from simulators.world.crm_merge import merged_properties
from simulators.world.crm_properties import Property
from simulators.world.crm_shapes import record_object
from simulators.world.crm_types import KINDS, OBJECT_TYPES, Kind
from simulators.world.moments import parse
from simulators.world.store import JsonObject, Record, Store, Version

#: Records made by edits count on from here, beyond everything that was generated.
FIRST_ID = 30_000_000_000_001

Values = Mapping[str, str | None]


class CrmEdits:
    """Writes records and associations at a given instant (`at`, ms), which never goes back."""

    def __init__(self, store: Store, properties: dict[str, dict[str, Property]]) -> None:
        self._store = store
        self.properties = properties
        self._next_id = FIRST_ID

    # -- records -------------------------------------------------------------------------------

    def create(self, kind: Kind, values: Values, at: int) -> JsonObject:
        return self.put(kind, self.new_id(kind), values, at)

    def update(self, kind: Kind, id: str, values: Values, at: int) -> JsonObject:
        return self.put(kind, id, values, at, over=True)

    def put(
        self, kind: Kind, id: str, values: Values, at: int, *, over: bool = False, created: str | None = None
    ) -> JsonObject:
        """Inserts or replaces a record; `over` lays the values over those it has. None is no value, "" an empty one.

        The creation date (`created`, or the property) can be set, and stays as it is otherwise.
        """
        unknown = sorted(set(values) - set(self.properties[kind]))
        if unknown:
            raise ValueError(f"{kind} have no property {', '.join(unknown)}")
        record = self._present(kind, id, at)
        last = record.versions[-1].object if record else None
        base = last["properties"] if last and over else {}
        created = created or values.get(OBJECT_TYPES[kind].created)
        born = _instant(created) if created else record.versions[-1].created if record else at
        texts = {name: None if value is None else str(value) for name, value in values.items()}
        shape = record_object(kind, id, {**base, **texts}, born, at, None)
        if record is None:
            self._store[kind].create(id, at, shape, created=born)
        else:
            self._store[kind].change(id, at, shape, created=born)
        return shape

    def archive(self, kind: Kind, id: str, at: int) -> None:
        """To the recycle bin; the associations go."""
        last = self._live(kind, id, at)
        self._unlink_all(kind, id, at)
        shape = record_object(kind, id, last.object["properties"], last.created, at, at)
        self._store[kind].remove(id, at, "archived", shape)

    def restore(self, kind: Kind, id: str, at: int) -> JsonObject:
        """Out of the recycle bin, with the associations that went with it."""
        record = self._present(kind, id, at)
        last = record.versions[-1] if record else None
        if record is None or last is None or last.gone != "archived":
            raise LookupError(f"{kind} {id} is not in the recycle bin")
        shape = record_object(kind, id, last.object["properties"], last.created, at, None)
        self._store[kind].change(id, at, shape)
        for link, mine, other, edge in list(self._edges(kind, id)):
            went = edge.at(at)
            if went is None or not went.gone or went.at != last.at:
                continue
            if self._is_live(link.target if mine else link.source, other, at):
                source, target = (id, other) if mine else (other, id)
                self.link(link.name, source, target, at, types=went.object["types"])
        return shape

    def purge(self, kind: Kind, id: str, at: int) -> None:
        """For good, as a privacy request demands."""
        record = self._present(kind, id, at)
        if record is None or record.versions[-1].gone in ("purged", "merged"):
            raise LookupError(f"no {kind} {id}")
        if record.versions[-1].gone is None:
            self._unlink_all(kind, id, at)
        self._store[kind].remove(id, at, "purged")

    def merge(self, kind: Kind, first: str, second: str, at: int, *, keep_id: bool = False) -> JsonObject:
        """Merges the second record into the first. What remains has a new id, or with `keep_id` the first one's."""
        if first == second:
            raise ValueError(f"{kind} {first} cannot be merged with itself")
        one, other = self._live(kind, first, at), self._live(kind, second, at)
        both = (first, one.object["properties"]), (second, other.object["properties"])
        both_have = merged_properties(kind, *both, at, keep_id=keep_id)
        # Values of properties that were archived since go with the old records.
        values = {name: value for name, value in both_have.items() if name in self.properties[kind]}
        created = min(one.object["createdAt"], other.object["createdAt"])
        id = first if keep_id else self.new_id(kind)
        edges = [self._unlink_all(kind, old, at) for old in ([second] if keep_id else [first, second])]
        shape = self.put(kind, id, values, at, created=None if keep_id else created)
        for old in [second] if keep_id else [first, second]:
            self._store[kind].remove(old, at, "merged", into=id)
        for link, mine, neighbour, types in (edge for found in edges for edge in found):
            if neighbour not in (first, second):
                source, target = (id, neighbour) if mine else (neighbour, id)
                self.link(link.name, source, target, at, types=types)
        return shape

    def new_id(self, kind: Kind) -> str:
        while str(self._next_id) in self._store[kind].records:
            self._next_id += 1
        self._next_id += 1
        return str(self._next_id - 1)

    # -- associations --------------------------------------------------------------------------

    def link(
        self, name: str, source: str, target: str, at: int, *, types: list[JsonObject] | None = None, count: bool = True
    ) -> JsonObject:
        """Associates two records. Of all kinds only a deal counts that as a change of its own (unless not `count`)."""
        link, key = LINKS_BY_NAME[name], f"{source}:{target}"
        collection = self._store[name]
        shape = link.object(source, target, types or link.types())
        if key in collection.records:
            collection.forget_after(key, at)
        if key in collection.records:
            collection.change(key, at, shape)
        else:
            collection.create(key, at, shape)
        if count:
            self.recount(link, source, at)
        return shape

    def unlink(self, name: str, source: str, target: str, at: int) -> None:
        collection, key = self._store[name], f"{source}:{target}"
        if key in collection.records:
            collection.forget_after(key, at)
        record = collection.records.get(key)
        if record is None or record.versions[-1].gone:
            raise LookupError(f"no {name} {key}")
        collection.remove(key, at, "deleted")
        self.recount(LINKS_BY_NAME[name], source, at)

    def recount(self, link: Link, source: str, at: int) -> None:
        """A deal whose associations change counts its contacts anew and so is modified."""
        if link.source != "deals" or not self._is_live("deals", source, at):
            return
        values: dict[str, str | None] = {}
        if link.name == "deal_contacts":
            edges = self._edges("deals", source)
            found = sum(1 for each, _, _, edge in edges if each is link and _there(edge.at(at)))
            values["num_associated_contacts"] = str(found)
        self.update("deals", source, values, at)

    def _edges(self, kind: str, id: str) -> Iterable[tuple[Link, bool, str, Record]]:
        """Every association that a record ever had: the link, whether the record is its source, the other id."""
        for link in LINKS_BY_NAME.values():
            if kind not in (link.source, link.target):
                continue
            for key, record in self._store[link.name].records.items():
                source, _, target = key.partition(":")
                if kind == link.source and source == id:
                    yield link, True, target, record
                elif kind == link.target and target == id:
                    yield link, False, source, record

    def _unlink_all(self, kind: str, id: str, at: int) -> list[tuple[Link, bool, str, list[JsonObject]]]:
        """Ends the associations of a record, those that would come later included; returns those that were there."""
        found = []
        for link, mine, other, record in list(self._edges(kind, id)):
            self._store[link.name].forget_after(record.id, at)
            if record.versions and not record.versions[-1].gone:
                found.append((link, mine, other, record.versions[-1].object["types"]))
                self.unlink(link.name, id if mine else other, other if mine else id, at)
        return found

    # -- the store -----------------------------------------------------------------------------

    def _present(self, kind: str, id: str, at: int) -> Record | None:
        """The record without its future."""
        collection = self._store[kind]
        if id in collection.records:
            collection.forget_after(id, at)
        return collection.records.get(id)

    def _live(self, kind: str, id: str, at: int) -> Version:
        record = self._present(kind, id, at)
        if record is None or record.versions[-1].gone:
            raise LookupError(f"no {kind} {id}")
        return record.versions[-1]

    def _is_live(self, kind: str, id: str, at: int) -> bool:
        record = self._store[kind].records.get(id)
        return record is not None and _there(record.at(at))


def _instant(text: str) -> int:
    """Epoch milliseconds or ISO 8601."""
    return int(text) if text.isdigit() else parse(text)


def _there(version: Version | None) -> bool:
    return version is not None and version.gone is None


def kind_named(name: str) -> Kind:
    """Raises ValueError unless it is one."""
    if name not in OBJECT_TYPES:
        raise ValueError(f"unknown kind of record {name!r}; known: {', '.join(KINDS)}")
    return OBJECT_TYPES[name].kind


def link_named(one: str, other: str) -> Link:
    found = link_between(one, other)
    if found is None:
        raise ValueError(f"{one} and {other} cannot be associated")
    return found[0]
