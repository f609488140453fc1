"""Budgets, and HubSpot's own faults."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.hubspot.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from simulators.limits import Window
from simulators.world.moments import DAY
from tests.simulators.conftest import DEMO, Clients

OBJECTS = "/crm/objects/2026-09"
CONTACTS = f"{OBJECTS}/contacts"
OWNERS = "/crm/owners/2026-09"


def order(clients: Clients, *faults: dict[str, Any]) -> None:
    answer = clients.hubspot.put("/_sim/faults", json={"faults": list(faults)})
    assert answer.status_code == 200, answer.text


def portal(clients: Clients, **settings: Any) -> dict[str, Any]:
    answer = clients.hubspot.put("/_sim/portal", json=settings)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("most", [100, 190])
def test_the_burst_limit(own: Clients, most: int) -> None:
    assert portal(own, requests_per_ten_seconds=most)["requests_per_ten_seconds"] == most
    assert own.simulation.limits.hubspot.most == most
    own.hubspot.put("/_sim/settings", json={"rate_limits": True})
    own.simulation.limits.hubspot = Window(most, 10, clock=lambda: 0.0)
    answers = [own.hubspot.get(OWNERS) for _ in range(most + 1)]
    assert [answer.status_code for answer in answers] == [200] * most + [429]
    assert answers[0].headers["x-hubspot-ratelimit-max"] == str(most)
    left = [int(answer.headers["x-hubspot-ratelimit-remaining"]) for answer in answers]
    assert left == [*range(most - 1, -1, -1), 0]
    assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"


def test_search_has_a_budget_of_its_own(own: Clients) -> None:
    portal(own, requests_per_ten_seconds=3)
    own.hubspot.put("/_sim/settings", json={"rate_limits": True})
    # Time stands still, however slow the machine is.
    own.simulation.limits.hubspot_search = Window(5, 1, clock=lambda: 0.0)
    searches = [own.hubspot.post(f"{CONTACTS}/search", json={}) for _ in range(6)]
    assert [answer.status_code for answer in searches] == [200] * 5 + [429]
    assert searches[-1].json()["policyName"] == "SECONDLY"
    assert not [name for answer in searches for name in answer.headers if "ratelimit" in name]
    assert [own.hubspot.get(OWNERS).status_code for _ in range(4)] == [200] * 3 + [429]


def test_the_daily_quota_is_renewed_at_midnight(own: Clients) -> None:
    assert portal(own, requests_left_today=0)["requests_left_today"] == 0
    for answer in (own.hubspot.get(OWNERS), own.hubspot.post(f"{CONTACTS}/search", json={})):
        assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")
    assert own.hubspot.get(OWNERS).headers["x-hubspot-ratelimit-daily-remaining"] == "0"
    own.simulation.clock = DEMO - DEMO % DAY + DAY - 1
    assert own.hubspot.get(OWNERS).status_code == 429
    own.simulation.clock += 1
    assert own.hubspot.get(OWNERS).status_code == 200
    own.hubspot.put("/_sim/settings", json={"rate_limits": True})
    portal(own, requests_per_day=2)
    assert [own.hubspot.get(OWNERS).status_code for _ in range(3)] == [200, 200, 429]


def test_apps_hear_nothing_of_the_daily_quota(own: Clients) -> None:
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = own.hubspot.post("/oauth/2026-09/token", data={**form, "refresh_token": REFRESH_TOKEN})
    headers = own.hubspot.get(OWNERS, headers={"Authorization": f"Bearer {answer.json()['access_token']}"}).headers
    assert headers["x-hubspot-ratelimit-max"] == "110"
    assert not [name for name in headers if "daily" in name]


@pytest.mark.parametrize("status", [520, 521, 523, 524])
def test_cloudflare(clients: Clients, status: int) -> None:
    order(clients, {"kind": "cloudflare", "status": status})
    answer = clients.hubspot.get(CONTACTS)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "cf-ray" in answer.headers
    assert clients.hubspot.get(CONTACTS).status_code == 200


def test_other_faults(clients: Clients) -> None:
    order(
        clients,
        {"kind": "migration", "seconds": 3600},
        {"kind": "missing_scopes", "reason": "crm.objects.contacts.read"},
        {"kind": "not_found"},
        *({"kind": "http_error", "status": status} for status in (502, 504, 414, 423)),
    )
    answers = [clients.hubspot.get(CONTACTS) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [477, 403, 404, 502, 504, 414, 423, 200]
    assert answers[0].headers["retry-after"] == "3600"
    assert answers[1].json()["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.contacts.read"]}
    assert answers[2].headers["content-type"].startswith("text/html")
    for kind in ("cloudflare", "edit_between_pages"):
        assert clients.stripe.put("/_sim/faults", json={"kind": kind}).status_code == 400


def walk(clients: Clients) -> list[str]:
    """A keyset walk in pages of ten through what was modified before the clock."""
    seen: list[str] = []
    end, last = clients.simulation.clock, "0"
    while True:
        filters = [
            {"propertyName": "lastmodifieddate", "operator": "LT", "value": str(end)},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        ]
        page = clients.hubspot.post(f"{CONTACTS}/search", json={"filters": filters, "sorts": ["hs_object_id"]}).json()
        if not page["results"]:
            return seen
        seen += [record["id"] for record in page["results"]]
        last = seen[-1]


def test_edits_during_a_walk(own: Clients) -> None:
    everything = walk(own)
    order(own, {"kind": "edit_between_pages", "count": 8, "path": "*/search"})
    seen = walk(own)
    assert seen == [*everything[:10], *everything[14:]], "four of the next page had moved behind the window's end"
    now = own.hubspot.get("/_sim/clock").json()["now"]
    edited = [line["id"] for line in own.books("contacts") if line["updated"] == now]
    assert sorted(edited, key=int) == everything[6:14]


def test_a_merge_during_a_walk(own: Clients) -> None:
    ids = [record["id"] for record in own.walk_crm(CONTACTS)]
    order(own, {"kind": "merge_between_pages", "path": CONTACTS})
    page = own.hubspot.get(CONTACTS).json()
    after = page["paging"]["next"]["after"]
    rest = own.walk_crm(CONTACTS, after=after)
    assert after == ids[10]
    assert rest[0]["id"] == ids[11]
    (merged,) = (record["id"] for record in rest if record["id"] not in ids)
    for id in ids[9:11]:
        assert own.hubspot.get(f"{CONTACTS}/{id}").json()["id"] == merged


def test_an_archival_during_a_search(own: Clients) -> None:
    everything = walk(own)
    order(own, {"kind": "delete_between_pages", "path": "*/search"})
    assert walk(own) == [*everything[:10], *everything[11:]]
    assert next(line for line in own.books("contacts") if line["id"] == everything[10])["gone"] == "archived"


def test_wrong_settings(clients: Clients) -> None:
    wrong: list[Any] = [{"colour": 1}, {"merge_keeps_id": 1}, {"bad_ids": {"1": "x"}}, []]
    for body in wrong:
        assert clients.hubspot.put("/_sim/portal", json=body).status_code == 400
    clients.hubspot.put("/_sim/portal", json={"portal_id": 77})
    assert clients.hubspot.get("/account-info/2026-09/details").json()["portalId"] == 77
