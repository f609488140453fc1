"""HubSpot's records: writing, associating, merging and archiving them as HubSpot does."""

from __future__ import annotations

from include.simulators.world.crm_shapes import Entity, Kind, entity_object
from include.simulators.world.ids import Ids
from include.simulators.world.store import JsonObject, Store

#: (from, to) -> names of the two id fields, and the association type in each direction.
LINKS: dict[tuple[str, str], tuple[str, str, str, int, int]] = {
    ("deals", "contacts"): ("deal_contacts", "deal_id", "contact_id", 3, 4),
    ("deals", "companies"): ("deal_companies", "deal_id", "company_id", 341, 342),
    ("contacts", "companies"): ("contact_companies", "contact_id", "company_id", 279, 280),
}
#: A label that the sales team made up for some contacts of a deal.
DECISION_MAKER = {"category": "USER_DEFINED", "typeId": 37, "label": "Decision maker"}
#: An id that a JavaScript number cannot hold; one contact has it.
HUGE_ID = "9007199254740993"


class Crm:
    """The one writer of contacts, companies, deals and the associations between them."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._random = ids.random("crm ids")
        self._next_id = 151
        self.entities: dict[str, Entity] = {}
        self._neighbours: dict[str, dict[str, bool]] = {}
        """Id -> ids of the records it is associated with, and whether the association is labelled."""

    def add(
        self, kind: Kind, at: int, properties: dict[str, str], *, created: int | None = None, id: str = ""
    ) -> Entity:
        """Creates a record. `created` is set apart from `at` for a merged record, which keeps the older date."""
        if not id:
            # Ids grow with gaps, from three digits to nine: sorting them as text would go wrong.
            self._next_id += self._random.randint(1, 40) if self._next_id < 4_000 else self._random.randint(1, 400_000)
            id = str(self._next_id)
        entity = Entity(kind, id, at if created is None else created, at, dict(properties))
        self.entities[id] = entity
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
        name = LINKS[source.kind, target.kind][0]
        key = f"{source.id}:{target.id}"
        shape = link_object(source.kind, target.kind, source.id, target.id, label)
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
        name = LINKS[source.kind, target.kind][0]
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
        properties = {**second.properties, **first.properties}
        ids = [second.id] if keep_id else [first.id, second.id]
        known = properties.get("hs_merged_object_ids", "")
        properties["hs_merged_object_ids"] = ";".join([*([known] if known else []), *ids])
        properties["hs_calculated_merged_vids"] = ";".join(f"{id}:{at}" for id in ids)
        if first.kind == "contacts" and second.properties.get("email"):
            properties["hs_additional_emails"] = second.properties["email"]
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
            pair = (merged, neighbour) if (merged.kind, neighbour.kind) in LINKS else (neighbour, merged)
            self.link(*pair, at, label=labelled)
        return merged

    def neighbours(self, entity: Entity) -> list[tuple[Entity, bool]]:
        """The associated records, each with whether the association is labelled."""
        return [(self.entities[id], label) for id, label in self._neighbours.get(entity.id, {}).items()]

    def _unlink_all(self, entity: Entity, at: int) -> None:
        for neighbour, _ in self.neighbours(entity):
            pair = (entity, neighbour) if (entity.kind, neighbour.kind) in LINKS else (neighbour, entity)
            self.unlink(*pair, at)

    def _recount(self, deal: Entity, at: int) -> None:
        if deal.kind == "deals":
            count = sum(1 for other, _ in self.neighbours(deal) if other.kind == "contacts")
            self.update(deal, at, num_associated_contacts=str(count))


def link_object(source: str, target: str, source_id: str, target_id: str, label: bool) -> JsonObject:
    """An association as the books show it: two ids and its types, seen from the source."""
    _, source_field, target_field, type_id, _ = LINKS[source, target]
    types = [{"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": None}]
    return {source_field: source_id, target_field: target_id, "types": [*types, DECISION_MAKER] if label else types}
