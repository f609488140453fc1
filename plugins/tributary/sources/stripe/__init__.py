"""Stripe: lists by creation, changes by events, nested lists to their end. See docs/sources/stripe.md."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tributary.api.answers import Answer, Judgement, Verdict, id_text, retry_after
from tributary.api.client import TOO_LONG, ApiClient
from tributary.clients import Client
from tributary.concurrency import POOL_SLOTS, STREAM_TASKS, spacing
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError
from tributary.sources.base import Checkpoint, Extent, Walk
from tributary.sources.stripe.feed import changed
from tributary.sources.stripe.listing import extent, listed
from tributary.sources.stripe.objects import all_fetched
from tributary.sources.stripe.shapes import Account, error_of
from tributary.windows import Window

API_VERSION = "2026-10-28.endive"
#: Requests per second of an account in live mode, in test mode, and of one endpoint in either.
LIVE_BUDGET, TEST_BUDGET, ENDPOINT_BUDGET = 100.0, 25.0, 25.0

#: In the cursor of a walk that has read what was asked for by id, and nothing of its window yet.
_NAMED = "named"


class Stripe:
    """https://docs.stripe.com/api, pinned to one version."""

    name = "stripe"
    api_version = API_VERSION
    token_path = None
    #: /v1/events reaches 30 days back; older windows are listed again, with days to spare for a run that is late.
    feed_memory = timedelta(days=25)
    lists_by_id = False
    #: Its redaction is a job that has to be looked over, and a key that only reads may not start one.
    erase = None
    erase_by_hand = "delete or redact these customers in the dashboard (Settings > Compliance > Data redaction)"

    def spacing(self, client: Client) -> Mapping[str, float]:
        total = client.requests_per_second or (LIVE_BUDGET if client.livemode else TEST_BUDGET)
        endpoint = client.requests_per_second or ENDPOINT_BUDGET
        tasks = POOL_SLOTS[self.name]
        # A stream is one endpoint; the endpoint of events is read by the tasks of all streams.
        return {
            "default": max(spacing(total, 1, tasks), spacing(endpoint, 1, STREAM_TASKS)),
            "events": max(spacing(total, 1, tasks), spacing(endpoint, 1, tasks)),
        }

    def headers(self) -> dict[str, str]:
        return {"Stripe-Version": API_VERSION}

    def judge(self, answer: Answer) -> Judgement:
        if answer.status < 400:
            return Judgement(Verdict.OK)
        error = error_of(answer.body)
        reason = " ".join(filter(None, (error.type, error.code, error.param)))
        hint = answer.headers.get("Stripe-Should-Retry")
        wait = retry_after(answer.headers, answer.observed_at)
        if hint == "true" or (hint != "false" and (answer.status in (408, 409, 413, 429) or answer.status >= 500)):
            limited = answer.headers.get("Stripe-Rate-Limited-Reason", "")
            return Judgement(Verdict.RETRY, f"{reason} {limited}".strip(), wait, limited or error.code)
        if answer.status == 401:
            return Judgement(
                Verdict.REFUSE, "the API key was not accepted; put a valid one into the connection's password"
            )
        if answer.status == 403:
            permission = re.search(r"\brak_\w+", error.message)
            missing = permission.group() if permission else "read access to this resource"
            return Judgement(Verdict.REFUSE, f"the restricted key lacks {missing}; grant it in the Stripe dashboard")
        # A path that doesn't exist is a 404 as well, but not the absence of an object.
        if error.code == "resource_missing":
            return Judgement(Verdict.MISSING, reason)
        if answer.status in TOO_LONG:
            return Judgement(Verdict.INVALID, "the URL is too long for something on the way")
        return Judgement(Verdict.REFUSE, reason or "refused")

    def check_account(self, api: ApiClient, client: Client, livemode: bool | None) -> datetime:
        answer, account = api.get("/v1/account", Account)
        if account.id != client.account:
            raise RefusedError(
                f"connection {client.connection} leads to Stripe account {account.id}, but "
                f"client {client.client_id} is pinned to {client.account}; nothing was read. "
                "Correct the key in the connection, or clients.yml"
            )
        if client.livemode is not None and livemode is not None and livemode != client.livemode:
            raise RefusedError(
                f"connection {client.connection} holds a {'live' if livemode else 'test'} mode key, but client "
                f"{client.client_id} is pinned to livemode: {str(client.livemode).lower()}; nothing was read"
            )
        return answer.source_now

    def account_currency(self, api: ApiClient) -> str | None:
        return api.get("/v1/account", Account)[1].default_currency

    def extent(self, api: ApiClient, contract: Contract, window: Window) -> Extent | None:
        return extent(api, contract, window)

    def covered_until(
        self, contract: Contract, axis: Axis, window: Window, client: Client, source_now: datetime
    ) -> datetime:
        return window.end

    def walk(
        self,
        api: ApiClient,
        contract: Contract,
        axis: Axis,
        window: Window,
        client: Client,
        cursor: dict[str, Any],
        ids: Sequence[str] = (),
    ) -> Walk:
        if ids and not cursor:
            found = yield from all_fetched(api, contract, ids)
            yield Checkpoint({_NAMED: True}, *found)
        elif cursor == {_NAMED: True}:
            cursor = {}
        if axis == Axis.CHANGED:
            yield from changed(api, contract, window, cursor)
        else:
            yield from listed(api, contract, window if axis == Axis.CREATED else None, cursor)

    def stub_id(self, record: Mapping[str, Any]) -> str | None:
        return id_text(record.get("id")) if record.get("deleted") is True else None

    def deleted_at(self, record: Mapping[str, Any]) -> str | None:
        return None

    def conversions(self, definitions: Iterable[Mapping[str, Any]]) -> Mapping[str, Callable[[Any], Any]]:
        return {}


SOURCE = Stripe()
