"""Stripe: lists by creation, changes by events, nested lists to their end. See docs/sources/stripe.md."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from tributary.api.answers import Answer, Judgement, Verdict, retry_after
from tributary.api.client import ApiClient, ApiError, MissingError
from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError
from tributary.plan import AUTO, WorkItem
from tributary.sources.base import Checkpoint, Page, Walk, compact
from tributary.windows import Window

API_VERSION = "2026-10-28.endive"
PAGE_SIZE = 100
#: /v1/events reaches 30 days back; older windows are listed again, with days to spare for a run that is late.
FEED_MEMORY = timedelta(days=25)
LIVE_BUDGET, TEST_BUDGET = 100.0, 25.0


class _Account(msgspec.Struct):
    id: str


class _Id(msgspec.Struct):
    id: str


class _Nested(msgspec.Struct):
    data: list[_Id] = []
    has_more: bool = False
    url: str = ""
    total_count: int | None = None


class _NestedPage(msgspec.Struct):
    data: list[_Id]
    has_more: bool


class _EventObject(msgspec.Struct):
    id: str | None = None


class _EventData(msgspec.Struct):
    object: _EventObject


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _EventData


class _EventPage(msgspec.Struct):
    data: list[_Event]
    has_more: bool


class _Error(msgspec.Struct):
    type: str = ""
    code: str | None = None
    param: str | None = None
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


class Stripe:
    """https://docs.stripe.com/api, pinned to one version."""

    name = "stripe"
    api_version = API_VERSION
    token_path = None

    def budgets(self, client: Client) -> Mapping[str, float]:
        return {"default": client.requests_per_second or (LIVE_BUDGET if client.livemode else TEST_BUDGET)}

    def headers(self) -> dict[str, str]:
        return {"Stripe-Version": API_VERSION}

    def judge(self, answer: Answer) -> Judgement:
        if answer.status < 400:
            return Judgement(Verdict.OK)
        error = _error(answer.body)
        reason = " ".join(filter(None, (error.type, error.code, error.param)))
        hint = answer.headers.get("Stripe-Should-Retry")
        wait = retry_after(answer.headers, answer.observed_at)
        if hint == "true" or (hint != "false" and (answer.status in (409, 429) or answer.status >= 500)):
            limited = answer.headers.get("Stripe-Rate-Limited-Reason", "")
            return Judgement(Verdict.RETRY, f"{reason} {limited}".strip(), wait)
        if answer.status == 401:
            return Judgement(
                Verdict.REFUSE, "the API key was not accepted; put a valid one into the connection's password"
            )
        if answer.status == 403:
            permission = re.search(r"\brak_\w+", error.message)
            missing = permission.group() if permission else "read access to this resource"
            return Judgement(Verdict.REFUSE, f"the restricted key lacks {missing}; grant it in the Stripe dashboard")
        if answer.status == 404 or error.code == "resource_missing":
            return Judgement(Verdict.MISSING, reason)
        return Judgement(Verdict.REFUSE, reason or "refused")

    def check_account(self, api: ApiClient, client: Client, livemode: bool | None) -> datetime:
        answer, account = api.get("/v1/account", _Account)
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

    def axis(self, contract: Contract, item: WorkItem, client: Client, source_now: datetime) -> tuple[Axis, str]:
        if item.axis != AUTO:
            return Axis(item.axis), "asked for"
        run_start = datetime.fromisoformat(item.run_start)
        if contract.daily == Axis.CHANGED and run_start < source_now - FEED_MEMORY:
            return Axis.CREATED, "the window is older than the event feed reaches, so it is listed by creation date"
        return contract.daily, "the contract's daily axis"

    def covered_until(
        self, contract: Contract, axis: Axis, window: Window, client: Client, source_now: datetime
    ) -> datetime:
        return window.end

    def walk(
        self, api: ApiClient, contract: Contract, axis: Axis, window: Window, client: Client, cursor: dict[str, Any]
    ) -> Walk:
        if axis == Axis.CHANGED:
            yield from self._changed(api, contract, window, cursor)
        else:
            yield from self._listed(api, contract, window if axis == Axis.CREATED else None, cursor)

    def stub_id(self, record: Mapping[str, Any]) -> str | None:
        return record["id"] if record.get("deleted") is True else None

    def deleted_at(self, record: Mapping[str, Any]) -> str | None:
        return None

    def conversions(self, definitions: Iterable[Mapping[str, Any]]) -> Mapping[str, Callable[[Any], Any]]:
        return {}

    def _listed(self, api: ApiClient, contract: Contract, window: Window | None, cursor: dict[str, Any]) -> Walk:
        """The collection, newest first. A cursor that has been deleted meanwhile raises MissingError."""
        params = _params(contract) | {"limit": PAGE_SIZE}
        if window:
            params |= {"created[gte]": int(window.start.timestamp()), "created[lt]": int(window.end.timestamp())}
        after = cursor.get("starting_after")
        _, page_type = _types_of(contract)
        while True:
            answer, page = api.get(
                contract.request["path"], page_type, params | ({"starting_after": after} if after else {})
            )
            yield Page(observed_at=answer.observed_at, body=compact(answer.body), items="data")
            children = 0
            for record in page.data:
                for child_page, count in self._nested(api, contract, record):
                    children += count
                    yield child_page
            if page.data:
                after = page.data[-1].id
                records = sum(not record.deleted for record in page.data)
                yield Checkpoint({"starting_after": after, "done": not page.has_more}, records, children)
            if not page.has_more:
                return
            if not page.data:
                raise ApiError(
                    f"GET {contract.request['path']} answered an empty page that says it has more; asking again"
                )

    def _changed(self, api: ApiClient, contract: Contract, window: Window, cursor: dict[str, Any]) -> Walk:
        """The objects that events in the window touch, each fetched again in full: events carry an older shape."""
        ids = sorted(self._touched(api, contract, window))
        path = contract.request["path"]
        record_type, _ = _types_of(contract)
        for id_ in ids[ids.index(cursor["after"]) + 1 if cursor.get("after") in ids else 0 :]:
            try:
                answer, record = api.get(f"{path}/{id_}", record_type, _params(contract, single=True))
            except MissingError as error:
                yield Page(observed_at=error.answer.observed_at, body=_gone(id_), gone=True)
                yield Checkpoint({"after": id_}, 0, gone=1)
                continue
            yield Page(observed_at=answer.observed_at, body=compact(answer.body))
            children = 0
            for child_page, count in self._nested(api, contract, record):
                children += count
                yield child_page
            stub = record.deleted
            yield Checkpoint({"after": id_}, 0 if stub else 1, children, 1 if stub else 0)

    def _touched(self, api: ApiClient, contract: Contract, window: Window) -> set[str]:
        """Ids in the events of the window; every page is read before the first id counts."""
        params: dict[str, Any] = {
            "limit": PAGE_SIZE,
            "created[gte]": int(window.start.timestamp()),
            "created[lt]": int(window.end.timestamp()),
            "types[]": contract.request["events"],
        }
        ids: set[str] = set()
        while True:
            _, page = api.get("/v1/events", _EventPage, params)
            ids |= {event.data.object.id for event in page.data if event.data.object.id}
            if not page.has_more or not page.data:
                return ids
            params["starting_after"] = page.data[-1].id

    def _nested(self, api: ApiClient, contract: Contract, record: Any) -> Iterator[tuple[Page, int]]:
        """The further pages of a record's nested lists, each with its number of items."""
        for child in contract.children:
            nested = getattr(record, child.path, None)
            if not child.follow or not nested or not nested.has_more:
                continue
            seen = {item.id for item in nested.data}
            params: dict[str, Any] = {"limit": PAGE_SIZE}
            more = True
            while more:
                if nested.data:
                    params["starting_after"] = nested.data[-1].id
                url = nested.url.partition("?")[0]
                params |= {"subscription": record.id} if url == "/v1/subscription_items" else {}
                answer, page = api.get(url, _NestedPage, params)
                fresh = {item.id for item in page.data} - seen
                if page.data and not fresh:
                    raise ApiError(
                        f"GET {url} answered a page of items that were all there before; the paging runs in a circle"
                    )
                seen |= fresh
                yield (
                    Page(
                        observed_at=answer.observed_at,
                        body=compact(answer.body),
                        items="data",
                        child=child.stream,
                        parent=record.id,
                    ),
                    len(page.data),
                )
                more = page.has_more and bool(page.data)
                nested = msgspec.structs.replace(nested, data=page.data or nested.data)
            if nested.total_count is not None and nested.total_count != len(seen):
                raise ApiError(
                    f"{contract.name} {record.id}: {child.path} has {len(seen)} items, expected {nested.total_count}"
                )


def _params(contract: Contract, *, single: bool = False) -> dict[str, Any]:
    """Constant parameters; a single object takes the expansions without the list's `data.` before them."""
    expand = [path.removeprefix("data.") if single else path for path in contract.request.get("expand", [])]
    return ({} if single else dict(contract.request.get("params", {}))) | ({"expand[]": expand} if expand else {})


@lru_cache(maxsize=64)
def _types(stream: str, nested: tuple[str, ...]) -> tuple[Any, Any]:
    """As little of a record as the walk needs, its id and the heads of its nested lists; and a page of such records."""
    fields: list[Any] = [("id", str), ("deleted", bool, False), *((path, _Nested | None, None) for path in nested)]
    record = msgspec.defstruct(f"{stream}_record", fields)
    return record, msgspec.defstruct(f"{stream}_page", [("data", list[record]), ("has_more", bool)])  # type: ignore[valid-type]


def _types_of(contract: Contract) -> tuple[Any, Any]:
    return _types(contract.stream, tuple(child.path for child in contract.children if child.follow))


def _gone(id_: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"id": id_}))


def _error(body: bytes) -> _Error:
    """The error object; Stripe answers some 5xx with HTML."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.DecodeError:
        return _Error()


SOURCE = Stripe()
