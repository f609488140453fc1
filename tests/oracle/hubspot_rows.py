"""HubSpot objects (2026-09) as rows of the raw tables, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.oracle.books import Json
from tests.oracle.values import iso, number, pick, several, truth, whole

Row = dict[str, Any]
#: The catalogue of an object type: property -> type and widget.
Catalogue = Mapping[str, tuple[str, str]]
#: What tells about merges stands in tables of its own.
_MERGES = ("hs_object_id", "hs_merged_object_ids", "hs_calculated_merged_vids")


class _Read(dict[str, Any]):
    """Properties that remember which of them became a column."""

    def __init__(self, properties: Json) -> None:
        super().__init__(properties)
        self.columns = set(_MERGES)

    def get(self, name: str, default: Any = None) -> Any:
        self.columns.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.columns.add(name)
        return super().__getitem__(name)


def _others(p: _Read, catalogue: Catalogue) -> Row:
    """The properties without a column, typed by the catalogue, and those whose value is not of their type."""
    kept: dict[str, Any] = {}
    unfit: dict[str, Any] = {}
    for name, value in p.items():
        if value is None or name in p.columns:
            continue
        try:
            kept[name] = _typed(value, *catalogue.get(name, ("string", "text")))
        except (ValueError, InvalidOperation, KeyError):
            unfit[f"properties.{name}"] = value
    return {"properties_other": kept or None, "_extra": unfit}


def _typed(value: str, type_: str, widget: str) -> Any:
    match type_:
        case "number":
            exact = number(value)
            if exact is None or exact == int(exact):
                return None if exact is None else int(exact)
            return float(exact) if Decimal(str(float(exact))) == exact else str(exact)
        case "bool":
            return truth(value)
        case "date":
            moment = iso(value)
            return moment.date().isoformat() if moment else None
        case "datetime":
            moment = iso(value)
            return moment.isoformat().replace("+00:00", "Z") if moment else None
        case "enumeration" if widget == "checkbox":
            return several(value)
    return value


def merges(o: Json, key: str) -> list[Row]:
    """Every record that went into this one."""
    p = o["properties"]
    ids = [id_ for id_ in (p.get("hs_merged_object_ids") or "").split(";") if id_]
    dated = [entry.split(":") for entry in (p.get("hs_calculated_merged_vids") or "").split(";") if entry]
    times = {id_: iso(at) for id_, at in dated}
    return [
        {key: o["id"], "merged_id": id_, "merged_at": times.get(id_)}
        for id_ in dict.fromkeys([*ids, *times])
        if id_ != o["id"]
    ]


def stage_history(id_: str, stages: Iterable[Json], key: str, value: str) -> list[Row]:
    """Every stage that a record was in. In the simulated portal, people at the screen move them."""
    who = {
        "source_type": "CRM_UI",
        "source_id": "userId:4910901",
        "source_label": None,
        "updated_by_user_id": 4910901,
    }
    return [{key: id_, "changed_at": _at(stage["timestamp"]), value: stage["value"], **who} for stage in stages]


def _at(text: str) -> datetime:
    moment = iso(text)
    assert moment is not None
    return moment


def _record(o: Json) -> Row:
    return {
        "id": o["id"],
        "created_at": iso(o["createdAt"]),
        "updated_at": iso(o["updatedAt"]),
        "archived": o["archived"],
        "archived_at": iso(o.get("archivedAt")),
    }


def contact(o: Json, catalogue: Catalogue) -> Row:
    p = _Read(o["properties"])
    row = _record(o) | {
        "createdate": iso(p["createdate"]),
        "lastmodifieddate": iso(p["lastmodifieddate"]),
        "email": p.get("email"),
        "additional_emails": p.get("hs_additional_emails"),
        "firstname": p.get("firstname"),
        "lastname": p.get("lastname"),
        "phone": p.get("phone"),
        "mobilephone": p.get("mobilephone"),
        "company": p.get("company"),
        "jobtitle": p.get("jobtitle"),
        "website": p.get("website"),
        "address": p.get("address"),
        "city": p.get("city"),
        "state": p.get("state"),
        "zip": p.get("zip"),
        "country": p.get("country"),
        "lifecyclestage": p.get("lifecyclestage"),
        "lead_status": p.get("hs_lead_status"),
        "customer_status": p.get("customer_status"),
        "became_lead_at": iso(p.get("hs_lifecyclestage_lead_date")),
        "became_customer_at": iso(p.get("hs_lifecyclestage_customer_date")),
        "owner_id": p.get("hubspot_owner_id"),
        "company_id": p.get("associatedcompanyid"),
        "merged_object_ids": p.get("hs_merged_object_ids"),
        "analytics_source": p.get("hs_analytics_source"),
        "email_optout": truth(p.get("hs_email_optout")),
        "num_associated_deals": whole(p.get("num_associated_deals")),
        "first_deal_created_at": iso(p.get("first_deal_created_date")),
        "recent_deal_close_at": iso(p.get("recent_deal_close_date")),
        "closedate": iso(p.get("closedate")),
        "stripe_customer_id": p.get("stripe_customer_id"),
    }
    return row | _others(p, catalogue)


def company(o: Json, catalogue: Catalogue) -> Row:
    p = _Read(o["properties"])
    row = _record(o) | {
        "createdate": iso(p["createdate"]),
        "hs_lastmodifieddate": iso(p["hs_lastmodifieddate"]),
        "name": p.get("name"),
        "domain": p.get("domain"),
        "website": p.get("website"),
        "industry": p.get("industry"),
        "company_type": p.get("type"),
        "lifecyclestage": p.get("lifecyclestage"),
        "phone": p.get("phone"),
        "address": p.get("address"),
        "city": p.get("city"),
        "state": p.get("state"),
        "zip": p.get("zip"),
        "country": p.get("country"),
        "num_employees": whole(p.get("numberofemployees")),
        "annual_revenue": number(p.get("annualrevenue")),
        "owner_id": p.get("hubspot_owner_id"),
        "parent_company_id": p.get("hs_parent_company_id"),
        "merged_object_ids": p.get("hs_merged_object_ids"),
        "num_associated_contacts": whole(p.get("num_associated_contacts")),
        "num_associated_deals": whole(p.get("num_associated_deals")),
        "description": p.get("description"),
    }
    return row | _others(p, catalogue)


def deal(o: Json, catalogue: Catalogue) -> Row:
    p = _Read(o["properties"])
    row = _record(o) | {
        "createdate": iso(p["createdate"]),
        "hs_lastmodifieddate": iso(p["hs_lastmodifieddate"]),
        "dealname": p.get("dealname"),
        "dealtype": p.get("dealtype"),
        "pipeline_id": p.get("pipeline"),
        "dealstage": p.get("dealstage"),
        "stage_probability": number(p.get("hs_deal_stage_probability")),
        "is_closed": truth(p.get("hs_is_closed")),
        "is_closed_won": truth(p.get("hs_is_closed_won")),
        "closedate": iso(p.get("closedate")),
        "amount": number(p.get("amount")),
        "currency": p.get("deal_currency_code"),
        "amount_in_home_currency": number(p.get("amount_in_home_currency")),
        "arr": number(p.get("hs_arr")),
        "mrr": number(p.get("hs_mrr")),
        "closed_won_reason": p.get("closed_won_reason"),
        "closed_lost_reason": p.get("closed_lost_reason"),
        "owner_id": p.get("hubspot_owner_id"),
        "days_to_close": whole(p.get("days_to_close")),
        "num_associated_contacts": whole(p.get("num_associated_contacts")),
        "analytics_source": p.get("hs_analytics_source"),
        "merged_object_ids": p.get("hs_merged_object_ids"),
    }
    return row | _others(p, catalogue)


def ticket(o: Json, catalogue: Catalogue) -> Row:
    p = _Read(o["properties"])
    row = _record(o) | {
        "createdate": iso(p["createdate"]),
        "hs_lastmodifieddate": iso(p["hs_lastmodifieddate"]),
        "subject": p.get("subject"),
        "content": p.get("content"),
        "pipeline_id": p.get("hs_pipeline"),
        "stage_id": p.get("hs_pipeline_stage"),
        "priority": p.get("hs_ticket_priority"),
        "categories": several(p.get("hs_ticket_category")),
        "source_type": p.get("source_type"),
        "closed_at": iso(p.get("closed_date")),
        "time_to_close_ms": whole(p.get("time_to_close")),
        "owner_id": p.get("hubspot_owner_id"),
        "merged_object_ids": p.get("hs_merged_object_ids"),
    }
    return row | _others(p, catalogue)


def link(o: Json) -> Row:
    """An association: the two ids, and what kinds it is of."""
    return {name: value for name, value in o.items() if name != "types"} | {"association_types": o["types"]}


def owner(o: Json) -> Row:
    return {
        "id": o["id"],
        "created_at": iso(o["createdAt"]),
        "updated_at": iso(o["updatedAt"]),
        "archived": o["archived"],
        "email": o.get("email"),
        "first_name": o.get("firstName"),
        "last_name": o.get("lastName"),
        "type": o["type"],
        "user_id": o.get("userId"),
        "user_id_including_inactive": o.get("userIdIncludingInactive"),
        "teams": o.get("teams"),
    }


def pipeline(o: Json) -> Row:
    return {
        "id": o["id"],
        "created_at": iso(o["createdAt"]),
        "updated_at": iso(o["updatedAt"]),
        "label": o["label"],
        "display_order": o["displayOrder"],
        "archived": o["archived"],
        "archived_at": iso(o.get("archivedAt")),
    }


def deal_pipeline_stages(o: Json) -> list[Row]:
    return [_stage(o, stage) | {"probability": number(pick(stage, "metadata", "probability"))} for stage in o["stages"]]


def ticket_pipeline_stages(o: Json) -> list[Row]:
    return [_stage(o, stage) | {"ticket_state": pick(stage, "metadata", "ticketState")} for stage in o["stages"]]


def _stage(o: Json, stage: Json) -> Row:
    return {
        "pipeline_id": o["id"],
        "pipeline_label": o["label"],
        "id": stage["id"],
        "label": stage["label"],
        "display_order": stage["displayOrder"],
        "is_closed": truth(pick(stage, "metadata", "isClosed")),
        "archived": stage["archived"],
        "archived_at": iso(stage.get("archivedAt")),
        "created_at": iso(stage["createdAt"]),
        "updated_at": iso(stage["updatedAt"]),
    }


def definition(o: Json) -> Row:
    """A property of the catalogue."""
    return {
        "object_type": o["objectType"],
        "name": o["name"],
        "label": o["label"],
        "type": o["type"],
        "field_type": o["fieldType"],
        "description": o["description"],
        "group_name": o["groupName"],
        "options": o["options"],
        "calculated": o["calculated"],
        "has_unique_value": o["hasUniqueValue"],
        "hidden": o["hidden"],
        "hubspot_defined": o.get("hubspotDefined"),
        "archived": o["archived"],
        "data_sensitivity": o.get("dataSensitivity"),
        "created_at": iso(o.get("createdAt")),
        "updated_at": iso(o.get("updatedAt")),
    }
