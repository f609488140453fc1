"""HubSpot's object types, and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PORTAL_ID = 4242
Kind = Literal["contacts", "companies", "deals", "tickets", "workspaces"]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """`id` is HubSpot's number of the type; `aliases` are the other names that paths may use."""

    kind: Kind
    singular: str
    id: str
    aliases: tuple[str, ...]
    modified: str
    """The property that says when a record changed last."""
    created: str
    default: tuple[str, ...]
    """What a list returns when no properties are asked for."""


OBJECT_TYPES: dict[str, ObjectType] = {
    type.kind: type
    for type in (
        ObjectType(
            "contacts",
            "contact",
            "0-1",
            ("contacts", "contact"),
            "lastmodifieddate",
            "createdate",
            ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        ),
        ObjectType(
            "companies",
            "company",
            "0-2",
            ("companies", "company"),
            "hs_lastmodifieddate",
            "createdate",
            ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        ),
        ObjectType(
            "deals",
            "deal",
            "0-3",
            ("deals", "deal"),
            "hs_lastmodifieddate",
            "createdate",
            (
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ),
        ),
        ObjectType(
            "tickets",
            "ticket",
            "0-5",
            ("tickets", "ticket"),
            "hs_lastmodifieddate",
            "createdate",
            (
                "content",
                "createdate",
                "hs_lastmodifieddate",
                "hs_object_id",
                "hs_pipeline",
                "hs_pipeline_stage",
                "hs_ticket_category",
                "hs_ticket_priority",
                "subject",
            ),
        ),
        # A custom object: its paths never use the plain name, and its creation date has a name of its own.
        ObjectType(
            "workspaces",
            "workspace",
            "2-1234567",
            (f"p{PORTAL_ID}_workspaces", "p_workspaces"),
            "hs_lastmodifieddate",
            "hs_createdate",
            ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        ),
    )
}
KINDS: tuple[Kind, ...] = tuple(type.kind for type in OBJECT_TYPES.values())
#: What the sales team works with.
SALES_KINDS: tuple[Kind, ...] = ("contacts", "companies", "deals")
MODIFIED: dict[str, str] = {kind: type.modified for kind, type in OBJECT_TYPES.items()}
#: Path segment -> kind.
ALIASES: dict[str, Kind] = {alias: type.kind for type in OBJECT_TYPES.values() for alias in (type.id, *type.aliases)}
