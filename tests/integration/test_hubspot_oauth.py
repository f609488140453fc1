"""OAuth against the simulator's token endpoint: renewed once, saved first, by one task."""

import json
import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.support.pipeline import HISTORY, Pipeline
from tributary.api.oauth import OAuth
from tributary.api.tokens import Tokens
from tributary.errors import RefusedError
from tributary.hooks.lease import lease

pytestmark = pytest.mark.emulators

APP = {"client_id": "tributary-app", "client_secret": "tributary-app-secret"}
FIRST = "na1-tributary-refresh-0"
_FAR = datetime(2100, 1, 1, tzinfo=UTC)


class Memory:
    """A store that lasts as long as the test; the lease is the real one."""

    def __init__(self) -> None:
        self.tokens: Tokens | None = None
        self.broken = False

    def load(self) -> Tokens | None:
        return self.tokens

    def save(self, tokens: Tokens) -> None:
        if self.broken:
            raise OSError("the store is down")
        self.tokens = tokens

    def renewing(self) -> AbstractContextManager[None]:
        return lease("tributary_token_test")


@pytest.fixture
def store(own_world: Any) -> Memory:
    return Memory()


def session(world: Any, store: Memory, refresh_token: str = FIRST) -> requests.Session:
    found = requests.Session()
    found.auth = OAuth(
        url=f"{world.hubspot}/oauth/2026-09/token",
        app=APP,
        refresh_token=refresh_token,
        connection="hubspot_default",
        store=store,
    )
    return found


def owners(world: Any, session: requests.Session) -> requests.Response:
    return session.get(f"{world.hubspot}/crm/owners/2026-09", timeout=10)


def tokens(world: Any) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{world.hubspot}/_sim/tokens", timeout=10).json()
    return answer


def test_a_token_is_fetched_kept_and_renewed_when_it_has_expired(own_world, store):
    one = session(own_world, store)
    assert [owners(own_world, one).status_code for _ in range(3)] == [200] * 3
    assert owners(own_world, session(own_world, store)).status_code == 200, "a second task takes it from the store"
    assert tokens(own_world)["refreshes"] == 1
    own_world.clock("2026-01-04T06:31:00Z")
    answer = owners(own_world, one)
    assert (answer.status_code, [former.status_code for former in answer.history]) == (200, [401])
    assert tokens(own_world)["refreshes"] == 2


def test_a_token_that_is_refused_again_is_not_renewed_for_ever(own_world, store):
    own_world.fault("hubspot", kind="expired_token", times=50, path="/crm/owners/*")
    assert owners(own_world, session(own_world, store)).status_code == 401
    assert tokens(own_world)["refreshes"] == 2, "the first one, and one renewal"


def test_a_rotated_refresh_token_is_saved_before_the_access_token_is_used(own_world, store):
    own_world.hubspot_sim("portal", method="PUT", rotate_refresh_tokens=True)
    one = session(own_world, store)
    store.broken = True
    with pytest.raises(OSError, match="the store is down"):
        owners(own_world, one)
    assert all(token["used"] == 0 for token in tokens(own_world)["tokens"] if token["kind"] == "oauth")
    # The person authorises the app anew, and the next renewals each use what the last one brought.
    store.broken = False
    fresh = session(own_world, store, tokens(own_world)["refresh_token"])
    for minute in ("07:00", "08:00", "09:00"):
        own_world.clock(f"2026-01-04T{minute}:00Z")
        assert owners(own_world, fresh).status_code == 200
    assert store.tokens is not None
    assert store.tokens.refresh_token == tokens(own_world)["refresh_token"] != FIRST


def test_tasks_that_meet_an_expired_token_together_renew_it_once(own_world, store):
    own_world.hubspot_sim("portal", method="PUT", rotate_refresh_tokens=True)
    sessions = [session(own_world, store) for _ in range(4)]
    assert owners(own_world, sessions[0]).status_code == 200
    for one in sessions[1:]:
        owners(own_world, one)
    own_world.clock("2026-01-04T06:31:00Z")
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda s=one: statuses.append(owners(own_world, s).status_code)) for one in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    assert tokens(own_world)["refreshes"] == 2


def test_a_new_refresh_token_in_the_connection_wins_over_what_is_stored(own_world, store):
    store.tokens = Tokens(
        access_token="CJ-of-another-portal", refresh_token="na1-old", expires_at=_FAR, origin="another"
    )
    assert owners(own_world, session(own_world, store)).status_code == 200
    assert store.tokens.refresh_token == FIRST


def test_a_refresh_token_that_is_not_accepted_names_the_connection_and_no_secret(own_world, store):
    with pytest.raises(RefusedError, match=r"connection hubspot_default: no new access token \(400\)") as caught:
        owners(own_world, session(own_world, store, "na1-wrong-refresh"))
    assert not any(secret in str(caught.value) for secret in ("na1-wrong", "app-secret"))


def test_a_token_endpoint_that_is_down_is_asked_again(own_world, store):
    own_world.fault("hubspot", kind="unavailable", times=1, path="/oauth/*")
    with pytest.raises(requests.ConnectionError, match="503"):
        owners(own_world, session(own_world, store))
    assert owners(own_world, session(own_world, store)).status_code == 200


@pytest.mark.parametrize(
    ("source", "extra", "message"),
    [
        ("hubspot", {"client_id": "tributary-app"}, "extra has no client_secret"),
        ("stripe", APP, "stripe has no OAuth here"),
    ],
)
def test_half_an_app_is_refused(own_world, monkeypatch, source, extra, message):
    connection = {"conn_type": "http", "host": own_world.hubspot, "password": FIRST, "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{source.upper()}_DEFAULT", json.dumps(connection))
    with pytest.raises(RefusedError, match=message):
        Pipeline(source, "owners" if source == "hubspot" else "customers").extract(*HISTORY)
