"""The catalogue of properties that every portal begins with, and the form in which HubSpot describes one."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.world.crm_pipelines import STAGES, TICKET_STAGES
from simulators.world.crm_types import Kind
from simulators.world.moments import MINUTE, START, iso
from simulators.world.store import JsonObject

LIFECYCLE = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
_LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED")
_STATUS = ("prospect", "trialing", "active", "past_due", "churned")
_CATEGORIES = ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST")
INTERESTS = ("reporting", "single_sign_on", "audit log", "EU hosting", "données brutes")
PRODUCTS = ("core", "insights", "relay")
#: HubSpot's widget for each type, unless a property says otherwise.
FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
}


@dataclass(frozen=True, slots=True)
class Property:
    """`type` is a key of FIELD_TYPES. `created` is the instant (ms) of its definition."""

    name: str
    type: str
    label: str
    group: str
    field: str = ""
    options: tuple[str, ...] = ()
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    custom: bool = False
    description: str = ""
    created: int = START - MINUTE

    @property
    def field_type(self) -> str:
        return self.field or FIELD_TYPES[self.type]

    @property
    def several(self) -> bool:
        """True if a value may be several options, `a;b`."""
        return self.field_type == "checkbox"


def _defined(group: str, *rows: tuple[str, str, str, *tuple[object, ...]]) -> dict[str, Property]:
    """Rows of name, type, label and, in any order: options (a tuple), and the words below."""
    found = {}
    for name, type, label, *rest in rows:
        options = next((part for part in rest if isinstance(part, tuple)), ())
        field = next((part for part in rest if part in ("checkbox", "textarea", "phonenumber", "html")), "")
        found[name] = Property(
            name,
            type,
            label,
            group,
            str(field) or ("calculation_equation" if "calculated" in rest else ""),
            options,
            read_only="read-only" in rest or "calculated" in rest,
            calculated="calculated" in rest,
            unique="unique" in rest,
            custom="custom" in rest,
        )
    return found


#: Account data that every record has; which name holds the creation date differs.
_COMMON = (
    ("hubspot_owner_id", "enumeration", "Owner"),
    ("hs_merged_object_ids", "enumeration", "Merged record IDs", "checkbox", "read-only"),
    ("hs_object_id", "number", "Record ID", "read-only"),
)
_MODIFIED = ("hs_lastmodifieddate", "datetime", "Last Modified Date", "read-only")
_CREATED = ("createdate", "datetime", "Create Date", "read-only")


PROPERTIES: dict[Kind, dict[str, Property]] = {
    "contacts": _defined(
        "contactinformation",
        ("email", "string", "Email"),
        ("firstname", "string", "First Name"),
        ("lastname", "string", "Last Name"),
        ("phone", "string", "Phone Number", "phonenumber"),
        ("company", "string", "Company Name"),
        ("lifecyclestage", "enumeration", "Lifecycle Stage", LIFECYCLE),
        ("hs_lead_status", "enumeration", "Lead Status", _LEAD_STATUS),
        ("customer_status", "enumeration", "Customer status", _STATUS, "custom"),
        _CREATED,
        ("lastmodifieddate", "datetime", "Last Modified Date", "read-only"),
        ("hs_calculated_merged_vids", "enumeration", "Merged vids with timestamps of a contact", "read-only"),
        ("hs_additional_emails", "enumeration", "Additional email addresses", "checkbox"),
        *_COMMON,
        # What the rest of the company keeps here, in every dialect that values come in.
        ("annual_budget", "number", "Annual budget (typed by hand)", "custom"),
        ("birthday", "date", "Birthday", "custom"),
        ("contract_start", "date", "Contract start (imported)", "custom"),
        ("last_seen_at", "datetime", "Last seen in the product", "custom"),
        ("newsletter_optout", "bool", "No newsletter", "custom"),
        ("interests", "enumeration", "Interests / centres d’intérêt", INTERESTS, "checkbox", "custom"),  # noqa: RUF001
        ("direct_line", "phone_number", "Direct line", "custom"),
        ("internal_note", "string", "Internal note", "textarea", "custom"),
        ("billing_key", "string", "Key in the billing system", "unique", "custom"),
        ("stripe_customer_id", "string", "Stripe customer ID", "custom"),
        ("days_since_lead", "number", "Days since lead", "calculated"),
        ("constructor", "string", "Constructor", "custom"),
    ),
    "companies": _defined(
        "companyinformation",
        ("name", "string", "Company name"),
        ("domain", "string", "Company Domain Name"),
        ("industry", "enumeration", "Industry"),
        ("numberofemployees", "number", "Number of Employees"),
        ("country", "string", "Country/Region"),
        ("city", "string", "City"),
        ("phone", "string", "Phone Number", "phonenumber"),
        ("lifecyclestage", "enumeration", "Lifecycle Stage", LIFECYCLE),
        _CREATED,
        _MODIFIED,
        *_COMMON,
        ("turnover_estimate", "number", "Turnover (estimate)", "custom"),
        ("is_listed", "bool", "Is listed", "custom"),
        ("products_used", "enumeration", "Products in use", PRODUCTS, "checkbox", "custom"),
        ("renewal_date", "date", "Renewal date", "custom"),
        ("select", "string", "Select list", "custom"),
    ),
    "deals": _defined(
        "dealinformation",
        ("dealname", "string", "Deal Name"),
        ("amount", "number", "Amount"),
        ("deal_currency_code", "enumeration", "Currency", ("USD", "EUR", "GBP", "JPY", "KWD")),
        ("dealstage", "enumeration", "Deal Stage", tuple(s[0] for stages in STAGES.values() for s in stages)),
        ("pipeline", "enumeration", "Pipeline", tuple(STAGES)),
        ("dealtype", "enumeration", "Deal Type", ("newbusiness", "existingbusiness")),
        ("closedate", "datetime", "Close Date"),
        ("createdate", "datetime", "Create Date"),
        _MODIFIED,
        ("hs_is_closed", "bool", "Is Deal Closed?", "read-only", "calculated"),
        ("hs_is_closed_won", "bool", "Is Closed Won", "read-only", "calculated"),
        ("num_associated_contacts", "number", "Number of Associated Contacts", "read-only"),
        *_COMMON,
        ("discount_rate", "number", "Discount (share)", "custom"),
        ("next_step_note", "string", "Next step", "textarea", "custom"),
    ),
    "tickets": _defined(
        "ticketinformation",
        ("subject", "string", "Ticket name"),
        ("content", "string", "Ticket description", "textarea"),
        ("hs_pipeline", "enumeration", "Pipeline", tuple(TICKET_STAGES)),
        ("hs_pipeline_stage", "enumeration", "Ticket status", tuple(s[0] for v in TICKET_STAGES.values() for s in v)),
        ("hs_ticket_priority", "enumeration", "Priority", ("LOW", "MEDIUM", "HIGH", "URGENT")),
        (
            "hs_ticket_category",
            "enumeration",
            "Category",
            ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST"),
            "checkbox",
        ),
        ("source_type", "enumeration", "Source", ("CHAT", "EMAIL", "FORM", "PHONE")),
        ("closed_date", "datetime", "Close date"),
        ("time_to_close", "number", "Time to close (ms)", "calculated"),
        ("createdate", "datetime", "Create Date"),
        _MODIFIED,
        *_COMMON,
    ),
    "workspaces": _defined(
        "workspace_information",
        ("workspace_name", "string", "Workspace name", "custom"),
        ("slug", "string", "Slug", "unique", "custom"),
        ("plan", "enumeration", "Plan", ("free", "team", "business"), "custom"),
        ("seats", "number", "Seats", "custom"),
        ("active", "bool", "Active", "custom"),
        ("opened_on", "date", "Opened on", "custom"),
        ("hs_createdate", "datetime", "Object create date/time", "read-only"),
        _MODIFIED,
        *_COMMON,
    ),
}


def property_object(property: Property) -> JsonObject:
    """A property as the API describes it."""
    created = iso(property.created)
    return {
        "updatedAt": created,
        "createdAt": created,
        "name": property.name,
        "label": property.label,
        "type": property.type,
        "fieldType": property.field_type,
        "description": property.description,
        "groupName": property.group,
        "options": [
            {"label": option.replace("_", " ").title(), "value": option, "displayOrder": order, "hidden": False}
            for order, option in enumerate(property.options)
        ],
        "displayOrder": -1,
        "calculated": property.calculated,
        "externalOptions": property.name == "hubspot_owner_id",
        "archived": False,
        "hasUniqueValue": property.unique or property.name == "hs_object_id",
        "hidden": False,
        "hubspotDefined": not property.custom,
        "modificationMetadata": {
            "archivable": property.custom,
            "readOnlyDefinition": not property.custom,
            "readOnlyValue": property.read_only,
        },
        "formField": not property.read_only,
        "dataSensitivity": "non_sensitive",
    }
