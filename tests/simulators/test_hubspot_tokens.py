"""OAuth, scopes, and what happens to tokens."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.hubspot.tokens import CLIENT_ID, CLIENT_SECRET, CODE, REFRESH_TOKEN
from simulators.simulation import HUBSPOT_TOKEN
from tests.simulators.conftest import Clients

CONTACTS = "/crm/objects/2026-09/contacts"
FORM = {
    "grant_type": "refresh_token",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "refresh_token": REFRESH_TOKEN,
}


def refresh(clients: Clients, path: str = "/oauth/2026-09/token", **form: str) -> Any:
    return clients.hubspot.post(path, data={**FORM, **form}, headers={"Authorization": ""})


def get(clients: Clients, token: str, path: str = CONTACTS) -> Any:
    return clients.hubspot.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v1", "v3"])
def test_a_token_lasts_for_half_an_hour(own: Clients, version: str) -> None:
    answer = refresh(own, f"/oauth/{version}/token")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["hub_id"]) == ("bearer", 1800, 4242)
    assert body["refresh_token"] == REFRESH_TOKEN
    token = body["access_token"]
    own.simulation.clock += 1_799_999
    assert get(own, token).status_code == 200
    own.simulation.clock += 1
    expired = get(own, token)
    assert (expired.status_code, expired.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert get(own, refresh(own).json()["access_token"]).status_code == 200
    assert get(own, HUBSPOT_TOKEN).status_code == 200


def test_refresh_tokens_may_be_rotated(own: Clients) -> None:
    own.hubspot.put("/_sim/portal", json={"rotate_refresh_tokens": True, "token_seconds": 60})
    first = refresh(own).json()
    assert first["refresh_token"] != REFRESH_TOKEN
    assert first["expires_in"] == 60
    stale = refresh(own)
    assert (stale.status_code, stale.json()["status"]) == (400, "BAD_REFRESH_TOKEN")
    second = refresh(own, refresh_token=first["refresh_token"])
    assert second.status_code == 200
    assert get(own, first["access_token"]).status_code == 200, "the older access token lives on"
    known = own.hubspot.get("/_sim/tokens").json()
    assert (known["refreshes"], known["refresh_token"]) == (2, second.json()["refresh_token"])


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"client_id": "x"}, "BAD_CLIENT_ID"),
        ({"client_secret": "x"}, "BAD_CLIENT_SECRET"),
        ({"refresh_token": "x"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "authorization_code", "code": "x"}, "BAD_AUTH_CODE"),
    ],
)
def test_refused_grants(clients: Clients, form: dict[str, str], status: str) -> None:
    answer = refresh(clients, **form)
    assert (answer.status_code, answer.json()["status"]) == (400, status)
    assert CLIENT_SECRET not in answer.text


def test_the_first_token_comes_for_a_code(own: Clients) -> None:
    answer = refresh(own, grant_type="authorization_code", code=CODE, redirect_uri="http://localhost/")
    assert get(own, answer.json()["access_token"]).status_code == 200
    info = own.hubspot.get(f"/oauth/v1/access-tokens/{answer.json()['access_token']}").json()
    assert (info["expires_in"], info["hub_id"]) == (1800, 4242)
    assert own.hubspot.get("/oauth/v1/access-tokens/none").status_code == 404


def test_revoked_tokens(own: Clients) -> None:
    token = refresh(own).json()["access_token"]
    assert get(own, token).status_code == 200
    assert own.hubspot.delete(f"/_sim/tokens/{token}").json()["revoked"]
    assert get(own, token).json()["category"] == "EXPIRED_AUTHENTICATION"
    own.hubspot.delete(f"/_sim/tokens/{HUBSPOT_TOKEN}")
    assert get(own, HUBSPOT_TOKEN).json()["category"] == "INVALID_AUTHENTICATION"
    used = {entry["token"]: entry["used"] for entry in own.hubspot.get("/_sim/tokens").json()["tokens"]}
    assert used == {token: 2, HUBSPOT_TOKEN: 1}
    assert own.hubspot.delete("/_sim/tokens/none").status_code == 404


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (CONTACTS, "crm.objects.contacts.read"),
        ("/crm/v3/objects/companies/1", "crm.objects.companies.read"),
        ("/crm/objects/2026-09/tickets", "tickets"),
        ("/crm/objects/2026-09/2-1234567", "crm.objects.custom.read"),
        ("/crm/owners/2026-09", "crm.objects.owners.read"),
        ("/crm/properties/2026-09/deals", "crm.schemas.deals.read"),
        ("/crm/pipelines/2026-09/deals", "crm.schemas.deals.read"),
        ("/crm/v4/objects/contacts/1/associations/deals", "crm.objects.contacts.read"),
    ],
)
def test_missing_scopes_are_named(own: Clients, path: str, scope: str) -> None:
    own.hubspot.put(f"/_sim/tokens/{HUBSPOT_TOKEN}", json={"scopes": ["oauth"]})
    answer = own.hubspot.get(path)
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert scope in answer.json()["errors"][0]["context"]["requiredGranularScopes"]
    own.hubspot.put(f"/_sim/tokens/{HUBSPOT_TOKEN}", json={"scopes": [scope]})
    assert own.hubspot.get(path).status_code in (200, 404)
    assert own.hubspot.post(CONTACTS, json={"properties": {}}).status_code == 403
    assert own.hubspot.get("/account-info/2026-09/details").status_code == 200


def test_another_service_key(own: Clients) -> None:
    own.hubspot.post("/_sim/tokens", json={"token": "pat-second", "scopes": ["crm.objects.deals.read"]})
    assert get(own, "pat-second", "/crm/objects/2026-09/deals").status_code == 200
    assert get(own, "pat-second").status_code == 403
