"""HubSpot objects (2026-09) as rows of the raw tables, column by column."""

from __future__ import annotations

from typing import Any

from tests.oracle.books import Json
from tests.oracle.values import iso, number, pick, truth, whole

Row = dict[str, Any]


def _record(o: Json) -> Row:
    return {
        "id": o["id"],
        "created_at": iso(o["createdAt"]),
        "updated_at": iso(o["updatedAt"]),
        "archived": o["archived"],
        "archived_at": iso(o.get("archivedAt")),
    }


def contact(o: Json) -> Row:
    p = o["properties"]
    return _record(o) | {
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


def company(o: Json) -> Row:
    p = o["properties"]
    return _record(o) | {
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


def deal(o: Json) -> Row:
    p = o["properties"]
    return _record(o) | {
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


def deal_contact(o: Json) -> Row:
    return {"deal_id": o["deal_id"], "contact_id": o["contact_id"], "association_types": o["types"]}


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


def pipeline_stages(o: Json) -> list[Row]:
    return [
        {
            "pipeline_id": o["id"],
            "pipeline_label": o["label"],
            "id": stage["id"],
            "label": stage["label"],
            "display_order": stage["displayOrder"],
            "is_closed": truth(pick(stage, "metadata", "isClosed")),
            "probability": number(pick(stage, "metadata", "probability")),
            "archived": stage["archived"],
            "archived_at": iso(stage.get("archivedAt")),
            "created_at": iso(stage["createdAt"]),
            "updated_at": iso(stage["updatedAt"]),
        }
        for stage in o["stages"]
    ]
