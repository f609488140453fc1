"""What HubSpot knows about its properties, owners and pipelines, and the form of its objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from include.simulators.world.moments import MINUTE, START, iso
from include.simulators.world.store import JsonObject

PORTAL_ID = 4242
Kind = Literal["contacts", "companies", "deals"]
KINDS: tuple[Kind, ...] = ("contacts", "companies", "deals")
#: The property that says when an object changed last.
MODIFIED: dict[str, str] = {
    "contacts": "lastmodifieddate",
    "companies": "hs_lastmodifieddate",
    "deals": "hs_lastmodifieddate",
}
#: HubSpot's number of the object type, as in the links to a record.
TYPE_IDS: dict[str, str] = {"contacts": "0-1", "companies": "0-2", "deals": "0-3"}
#: What a list returns when no properties are asked for.
DEFAULT_PROPERTIES = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
LIFECYCLE = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
_LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED")
_STATUS = ("prospect", "trialing", "active", "past_due", "churned")


@dataclass(frozen=True, slots=True)
class Property:
    """`type` is one of string, number, datetime, enumeration, bool."""

    name: str
    type: str
    label: str
    group: str
    options: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def field_type(self) -> str:
        return {"string": "text", "number": "number", "datetime": "date", "enumeration": "select"}.get(
            self.type, "booleancheckbox"
        )


def _defined(group: str, *rows: tuple[object, ...]) -> dict[str, Property]:
    found = {}
    for name, type, label, *rest in rows:
        options = next((part for part in rest if isinstance(part, tuple)), ())
        found[str(name)] = Property(str(name), str(type), str(label), group, options, "read-only" in rest)
    return found


PROPERTIES: dict[str, dict[str, Property]] = {
    "contacts": _defined(
        "contactinformation",
        ("email", "string", "Email"),
        ("firstname", "string", "First Name"),
        ("lastname", "string", "Last Name"),
        ("phone", "string", "Phone Number"),
        ("company", "string", "Company Name"),
        ("lifecyclestage", "enumeration", "Lifecycle Stage", LIFECYCLE),
        ("hs_lead_status", "enumeration", "Lead Status", _LEAD_STATUS),
        ("customer_status", "enumeration", "Customer status", _STATUS),
        ("createdate", "datetime", "Create Date", "read-only"),
        ("lastmodifieddate", "datetime", "Last Modified Date", "read-only"),
        ("hubspot_owner_id", "enumeration", "Contact owner"),
        ("hs_merged_object_ids", "enumeration", "Merged record IDs", "read-only"),
        ("hs_calculated_merged_vids", "enumeration", "Merged vids with timestamps of a contact", "read-only"),
        ("hs_additional_emails", "enumeration", "Additional email addresses"),
        ("hs_object_id", "number", "Record ID", "read-only"),
    ),
    "companies": _defined(
        "companyinformation",
        ("name", "string", "Company name"),
        ("domain", "string", "Company Domain Name"),
        ("industry", "enumeration", "Industry"),
        ("numberofemployees", "number", "Number of Employees"),
        ("country", "string", "Country/Region"),
        ("city", "string", "City"),
        ("phone", "string", "Phone Number"),
        ("lifecyclestage", "enumeration", "Lifecycle Stage", LIFECYCLE),
        ("createdate", "datetime", "Create Date", "read-only"),
        ("hs_lastmodifieddate", "datetime", "Last Modified Date", "read-only"),
        ("hubspot_owner_id", "enumeration", "Company owner"),
        ("hs_merged_object_ids", "enumeration", "Merged record IDs", "read-only"),
        ("hs_object_id", "number", "Record ID", "read-only"),
    ),
    "deals": _defined(
        "dealinformation",
        ("dealname", "string", "Deal Name"),
        ("amount", "number", "Amount"),
        ("deal_currency_code", "enumeration", "Currency", ("USD", "EUR", "GBP", "JPY", "KWD")),
        ("dealstage", "enumeration", "Deal Stage"),
        ("pipeline", "enumeration", "Pipeline"),
        ("dealtype", "enumeration", "Deal Type", ("newbusiness", "existingbusiness")),
        ("closedate", "datetime", "Close Date"),
        ("createdate", "datetime", "Create Date"),
        ("hs_lastmodifieddate", "datetime", "Last Modified Date", "read-only"),
        ("hubspot_owner_id", "enumeration", "Deal owner"),
        ("hs_is_closed", "bool", "Is Deal Closed?", "read-only"),
        ("hs_is_closed_won", "bool", "Is Closed Won", "read-only"),
        ("num_associated_contacts", "number", "Number of Associated Contacts", "read-only"),
        ("hs_merged_object_ids", "enumeration", "Merged record IDs", "read-only"),
        ("hs_object_id", "number", "Record ID", "read-only"),
    ),
}


@dataclass(slots=True)
class Entity:
    """A contact, company or deal while the world is generated. `properties` holds only what has a value."""

    kind: Kind
    id: str
    created: int
    modified: int
    properties: dict[str, str] = field(default_factory=dict)
    archived_at: int | None = None
    gone: bool = False


def entity_object(entity: Entity) -> JsonObject:
    """The full object: every defined property is there, null without a value."""
    known: dict[str, str | None] = dict.fromkeys(sorted(PROPERTIES[entity.kind]))
    known.update(entity.properties)
    known["hs_object_id"] = entity.id
    known["createdate"] = iso(entity.created)
    known[MODIFIED[entity.kind]] = iso(entity.modified)
    shape: JsonObject = {
        "id": entity.id,
        "properties": known,
        "createdAt": iso(entity.created),
        "updatedAt": iso(entity.modified),
        "archived": entity.archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{TYPE_IDS[entity.kind]}/{entity.id}",
    }
    if entity.archived_at is not None:
        shape["archivedAt"] = iso(entity.archived_at)
    return shape


def owner_object(id: int, first: str, last: str, created: int, modified: int, archived: bool) -> JsonObject:
    """An owner; one who was removed has lost the user id."""
    shape: JsonObject = {
        "id": str(id),
        "email": f"{first}.{last}@tributary.example".lower(),
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
    }
    if not archived:
        shape["userId"] = id + 4_000_000
    return {
        **shape,
        "userIdIncludingInactive": id + 4_000_000,
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived,
        "teams": [{"id": "178588", "name": "Sales", "primary": True}] if id % 2 else [],
    }


#: Stages by pipeline: id, label, chance of winning.
STAGES = {
    "default": (
        ("appointmentscheduled", "Appointment Scheduled", "0.2"),
        ("qualifiedtobuy", "Qualified To Buy", "0.4"),
        ("presentationscheduled", "Presentation Scheduled", "0.6"),
        ("contractsent", "Contract Sent", "0.9"),
        ("closedwon", "Closed Won", "1.0"),
        ("closedlost", "Closed Lost", "0.0"),
    ),
    "38211904": (
        ("81190421", "Renewal due", "0.5"),
        ("81190422", "In conversation", "0.7"),
        ("81190423", "Renewed", "1.0"),
        ("81190424", "Lost", "0.0"),
    ),
}


def pipeline_object(id: str, label: str, order: int, modified: int, renamed: dict[str, str]) -> JsonObject:
    """A deal pipeline. `renamed` maps stage ids to labels that differ from the first ones."""
    stages = [
        {
            "id": stage,
            "label": renamed.get(stage, name),
            "displayOrder": position,
            "metadata": {"isClosed": str(chance in ("1.0", "0.0")).lower(), "probability": chance},
            "createdAt": iso(START),
            "updatedAt": iso(modified if stage in renamed else START),
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        for position, (stage, name, chance) in enumerate(STAGES[id])
    ]
    return {
        "id": id,
        "label": label,
        "displayOrder": order,
        "stages": stages,
        "createdAt": iso(START),
        "updatedAt": iso(modified),
        "archived": False,
    }


def property_object(property: Property) -> JsonObject:
    created = iso(START - MINUTE)
    return {
        "updatedAt": created,
        "createdAt": created,
        "name": property.name,
        "label": property.label,
        "type": property.type,
        "fieldType": property.field_type,
        "description": "",
        "groupName": property.group,
        "options": [
            {"label": option.replace("_", " ").title(), "value": option, "displayOrder": order, "hidden": False}
            for order, option in enumerate(property.options)
        ],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": property.name == "hubspot_owner_id",
        "archived": False,
        "hasUniqueValue": property.name == "hs_object_id",
        "hidden": False,
        "hubspotDefined": property.name != "customer_status",
        "modificationMetadata": {
            "archivable": property.name == "customer_status",
            "readOnlyDefinition": property.name != "customer_status",
            "readOnlyValue": property.read_only,
        },
        "formField": not property.read_only,
        "dataSensitivity": "non_sensitive",
    }
