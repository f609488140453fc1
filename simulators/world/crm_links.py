"""Associations: which object types can be joined, and the form of one."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.world.store import JsonObject


@dataclass(frozen=True, slots=True)
class Link:
    """Associations of two object types. Type ids are HubSpot's, in each direction; the primary ones mark the first
    company of a record."""

    name: str
    source: str
    target: str
    source_field: str
    target_field: str
    type_id: int
    back_type_id: int
    primary: tuple[int, int] | None = None

    def types(self, *, label: bool = False, primary: bool = False) -> list[JsonObject]:
        """The types of an association, seen from the source."""
        found = [_type(self.type_id)]
        if primary and self.primary:
            found.append(_type(self.primary[0], "Primary"))
        return [*found, DECISION_MAKER] if label else found

    def chosen(self, ids: list[int], *, backwards: bool) -> list[JsonObject]:
        """The types with these ids, which are those of the one direction or the other; seen from the source. The plain
        type is always among them. Raises ValueError on an id that the two kinds don't have."""
        plain, primary = self.back_type_id if backwards else self.type_id, self.primary
        known: dict[int, JsonObject] = {plain: _type(self.type_id), DECISION_MAKER["typeId"]: DECISION_MAKER}
        if primary:
            known[primary[backwards]] = _type(primary[0], "Primary")
        unknown = sorted(set(ids) - set(known))
        if unknown:
            raise ValueError(f"{self.source} and {self.target} have no association type {unknown[0]}")
        return [type for id, type in known.items() if id == plain or id in ids]

    def reversed(self, types: list[JsonObject]) -> list[JsonObject]:
        """The same types seen from the target."""
        back = {self.type_id: self.back_type_id}
        if self.primary:
            back[self.primary[0]] = self.primary[1]
        return [
            {**type, "typeId": back.get(type["typeId"], type["typeId"])}
            if type["category"] == "HUBSPOT_DEFINED"
            else type
            for type in types
        ]

    def object(self, source_id: str, target_id: str, types: list[JsonObject]) -> JsonObject:
        """An association as the books show it: two ids and its types, seen from the source."""
        return {self.source_field: source_id, self.target_field: target_id, "types": types}


#: A label that the sales team made up for some contacts of a deal.
DECISION_MAKER: JsonObject = {"category": "USER_DEFINED", "typeId": 37, "label": "Decision maker"}


def _type(id: int, label: str | None = None) -> JsonObject:
    return {"category": "HUBSPOT_DEFINED", "typeId": id, "label": label}


LINKS: dict[tuple[str, str], Link] = {
    (link.source, link.target): link
    for link in (
        Link("deal_contacts", "deals", "contacts", "deal_id", "contact_id", 3, 4),
        Link("deal_companies", "deals", "companies", "deal_id", "company_id", 341, 342, (5, 6)),
        Link("contact_companies", "contacts", "companies", "contact_id", "company_id", 279, 280, (1, 2)),
        Link("ticket_contacts", "tickets", "contacts", "ticket_id", "contact_id", 16, 15),
    )
}
LINKS_BY_NAME: dict[str, Link] = {link.name: link for link in LINKS.values()}


def link_between(one: str, other: str) -> tuple[Link, bool] | None:
    """The link of two kinds, and whether it is defined the other way round."""
    if (one, other) in LINKS:
        return LINKS[one, other], False
    return (LINKS[other, one], True) if (other, one) in LINKS else None
