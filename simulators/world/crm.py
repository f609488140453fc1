"""HubSpot's records: writing, associating, merging and archiving them as HubSpot does."""

from __future__ import annotations

from itertools import count

from simulators.world.crm_links import LINKS, link_between
from simulators.world.crm_merge import merged_properties
from simulators.world.crm_shapes import Entity, entity_object
from simulators.world.crm_traits import Traits
from simulators.world.crm_types import Kind
from simulators.world.ids import Ids
from simulators.world.store import Store

#: An id that a JavaScript number cannot hold; one contact has it.
HUGE_ID = "9007199254740993"
#: Of these kinds the ids are counted apart, so that a ticket more doesn't move those of the sales team's records; those
#: of workspaces are beyond what a JavaScript number can hold.
_COUNTED_APART = {"tickets": (71_000_000_000_000, 7), "workspaces": (9_007_199_254_740_995, 2)}


class Crm:
    """The one writer of records and of the associations between them while the world is generated."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._random = ids.random("crm ids")
        self._traits = Traits(ids.token(16, "crm traits"))
        self._next_id = 151
        self._apart = {kind: count(first, step) for kind, (first, step) in _COUNTED_APART.items()}
        self.entities: dict[str, Entity] = {}
        self.contacts: list[Entity] = []
        self._neighbours: dict[str, dict[str, bool]] = {}
        """Id -> ids of the records it is associated with, and whether the association is labelled."""

    def add(
        self,
        kind: Kind,
        at: int,
        properties: dict[str, str],
        *,
        created: int | None = None,
        id: str = "",
        apart: bool = False,
    ) -> Entity:
        """Creates a record. `created` is set apart from `at` for a merged record, which keeps the older date."""
        if kind in self._apart:
            id = str(next(self._apart[kind]))
        elif not id:
            # Ids grow with gaps, from three digits to nine: sorting them as text would go wrong.
            self._next_id += self._random.randint(1, 40) if self._next_id < 4_000 else self._random.randint(1, 400_000)
            id = str(self._next_id)
        # A merged record has what the two had; others get traits of their own.
        own = self._traits.of(kind, id) if created is None else {}
        entity = Entity(kind, id, at if created is None else created, at, {**properties, **own}, apart=apart)
        self.entities[id] = entity
        if kind == "contacts" and not apart:
            self.contacts.append(entity)
        self._store[kind].create(id, at, entity_object(entity), created=entity.created)
        return entity

    def update(self, entity: Entity, at: int, **changes: str) -> None:
        """Sets properties; an empty string clears one. What is archived or merged away stays as it is."""
        if entity.gone:
            return
        for name, value in changes.items():
            if value:
                entity.properties[name] = value
            else:
                entity.properties.pop(name, None)
        entity.modified = max(at, entity.modified)
        self._store[entity.kind].change(entity.id, entity.modified, entity_object(entity))

    def link(self, source: Entity, target: Entity, at: int, *, label: bool = False) -> None:
        """Associates two records. A deal counts its contacts, so it changes with them."""
        if source.gone or target.gone:
            return
        link = LINKS[source.kind, target.kind]
        name, key = link.name, f"{source.id}:{target.id}"
        primary = not any(other.kind == "companies" for other, _ in self.neighbours(source))
        shape = link.object(source.id, target.id, link.types(label=label, primary=primary))
        at = max(at, source.modified)
        if key not in self._store[name].records:
            self._store[name].create(key, at, shape)
        elif target.id not in self._neighbours.get(source.id, {}):
            self._store[name].change(key, at, shape)
        else:
            return
        self._neighbours.setdefault(source.id, {})[target.id] = label
        self._neighbours.setdefault(target.id, {})[source.id] = label
        self._recount(source, at)

    def unlink(self, source: Entity, target: Entity, at: int) -> None:
        name = LINKS[source.kind, target.kind].name
        if self._neighbours.get(source.id, {}).pop(target.id, None) is not None:
            del self._neighbours[target.id][source.id]
            at = max(at, source.modified)
            self._store[name].remove(f"{source.id}:{target.id}", at, "deleted")
            self._recount(source, at)

    def archive(self, entity: Entity, at: int) -> None:
        """Moves a record to the recycle bin; its associations go."""
        if entity.gone:
            return
        at = max(at, entity.modified)
        self._unlink_all(entity, at)
        entity.gone, entity.modified, entity.archived_at = True, at, at
        self._store[entity.kind].remove(entity.id, at, "archived", entity_object(entity))

    def purge(self, entity: Entity, at: int) -> None:
        """Deletes a record for good, as a privacy request demands: it isn't even in the recycle bin."""
        if entity.gone:
            return
        at = max(at, entity.modified)
        self._unlink_all(entity, at)
        entity.gone = True
        self._store[entity.kind].remove(entity.id, at, "purged")

    def merge(self, first: Entity, second: Entity, at: int, *, keep_id: bool = False) -> Entity:
        """Merges the second record into the first; returns the record that remains.

        Normally that is a new record with the older creation date; with `keep_id` it is the first one.
        """
        if first.gone or second.gone:
            return first
        at = max(at, first.modified, second.modified)
        both = (first.id, first.properties), (second.id, second.properties)
        properties = merged_properties(first.kind, *both, at, keep_id=keep_id)
        neighbours = [*self.neighbours(second), *([] if keep_id else self.neighbours(first))]
        if keep_id:
            merged = first
            first.properties = properties
            self.update(first, at)
        else:
            merged = self.add(first.kind, at, properties, created=min(first.created, second.created))
        for old in [second] if keep_id else [first, second]:
            self._unlink_all(old, at)
            old.gone = True
            self._store[old.kind].remove(old.id, at, "merged", into=merged.id)
        for neighbour, labelled in neighbours:
            pair = _in_order(merged, neighbour)
            self.link(*pair, at, label=labelled)
        return merged

    def neighbours(self, entity: Entity) -> list[tuple[Entity, bool]]:
        """The associated records, each with whether the association is labelled."""
        return [(self.entities[id], label) for id, label in self._neighbours.get(entity.id, {}).items()]

    def _unlink_all(self, entity: Entity, at: int) -> None:
        for neighbour, _ in self.neighbours(entity):
            pair = _in_order(entity, neighbour)
            self.unlink(*pair, at)

    def _recount(self, deal: Entity, at: int) -> None:
        if deal.kind == "deals":
            count = sum(1 for other, _ in self.neighbours(deal) if other.kind == "contacts")
            self.update(deal, at, num_associated_contacts=str(count))


def _in_order(one: Entity, other: Entity) -> tuple[Entity, Entity]:
    """Source and target of the association of two records."""
    found = link_between(one.kind, other.kind)
    return (other, one) if found and found[1] else (one, other)
