"""HubSpot: searches by date with a keyset, lists for whole collections, associations in bulk.

See docs/sources/hubspot.md.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tributary.api.answers import Answer, Judgement, Verdict, retry_after
from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.concurrency import POOL_SLOTS, spacing
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError
from tributary.sources.base import Checkpoint, Extent, Page, Walk, compact
from tributary.windows import Window

API_VERSION = "2026-09"
LIST_PAGE, SEARCH_PAGE, BATCH = 100, 200, 100
#: Requests of a portal in ten seconds, and searches in one.
CRM_BUDGET, SEARCH_BUDGET = 100.0, 5.0


class _Portal(msgspec.Struct, rename="camel"):
    portal_id: int


class _Id(msgspec.Struct):
    id: str


class _Next(msgspec.Struct):
    after: str


class _Paging(msgspec.Struct):
    next: _Next | None = None


class _Results(msgspec.Struct):
    results: list[_Id]
    paging: _Paging | None = None

    @property
    def after(self) -> str | None:
        return self.paging.next.after if self.paging and self.paging.next else None


class _To(msgspec.Struct, rename="camel"):
    to_object_id: int


class _Edges(msgspec.Struct):
    from_: _Id = msgspec.field(name="from")
    to: list[_To]
    paging: _Paging | None = None


class _Problem(msgspec.Struct, rename="camel"):
    sub_category: str | None = None
    category: str | None = None


class _Associations(msgspec.Struct):
    results: list[_Edges]
    errors: list[_Problem] = []


class _ErrorBody(msgspec.Struct, rename="camel"):
    category: str | None = None
    policy_name: str | None = None
    message: str = ""
    errors: list[Any] = []


class HubSpot:
    """https://developers.hubspot.com, at one dated version."""

    name = "hubspot"
    api_version = API_VERSION
    feed_memory = None

    def spacing(self, client: Client) -> Mapping[str, float]:
        own, tasks = client.requests_per_second, POOL_SLOTS[self.name]
        return {
            "default": spacing(own, 1, tasks) if own else spacing(CRM_BUDGET, 10, tasks),
            "search": spacing(own or SEARCH_BUDGET, 1, tasks),
        }

    def headers(self) -> dict[str, str]:
        return {}

    def judge(self, answer: Answer) -> Judgement:
        if answer.status < 400:
            return Judgement(Verdict.OK)
        body = _error(answer.body)
        reason = " ".join(filter(None, (body.category, body.policy_name)))
        match answer.status:
            case 401:
                return Judgement(
                    Verdict.REFUSE, "the token was not accepted; put a valid one into the connection's password"
                )
            case 403:
                return Judgement(
                    Verdict.REFUSE, f"{reason}: the token lacks a scope; grant read access to this object type"
                )
            case 404:
                return Judgement(Verdict.MISSING, reason)
            case 429 if body.policy_name == "DAILY":
                return Judgement(
                    Verdict.DEFER, "the daily quota of the account is used up; it is renewed at its midnight"
                )
            case 423 | 429 | 477 | 500 | 502 | 503 | 504 | 521 | 523 | 524:
                return Judgement(
                    Verdict.RETRY,
                    reason,
                    retry_after(answer.headers, answer.observed_at) or (2.0 if answer.status == 423 else None),
                )
        return Judgement(Verdict.REFUSE, reason or "refused")

    def check_account(self, api: ApiClient, client: Client, livemode: bool | None) -> datetime:
        answer, portal = api.get(f"/account-info/{API_VERSION}/details", _Portal)
        if str(portal.portal_id) != client.account:
            raise RefusedError(
                f"connection {client.connection} leads to HubSpot portal {portal.portal_id}, but "
                f"client {client.client_id} is pinned to {client.account}; nothing was read. "
                "Correct the token in the connection, or clients.yml"
            )
        return answer.source_now

    def extent(self, api: ApiClient, contract: Contract, window: Window) -> Extent | None:
        """A collection is listed in the order of its ids, so it can't be cut by time."""
        return None

    def walk(
        self, api: ApiClient, contract: Contract, axis: Axis, window: Window, client: Client, cursor: dict[str, Any]
    ) -> Walk:
        """Live records first, then the archived ones, which no search returns."""
        whole = axis == Axis.WHOLE or (axis == Axis.CREATED and window.start <= client.since_at)
        if not cursor.get("live_done"):
            if whole:
                yield from self._listed(api, contract, archived=False, after=cursor.get("after"))
            else:
                yield from self._searched(api, contract, axis, window, cursor.get("after") or "0")
            yield Checkpoint({"live_done": True}, 0)
        if contract.request.get("archived", True):
            yield from self._listed(
                api, contract, archived=True, after=cursor.get("after") if cursor.get("live_done") else None
            )

    def stub_id(self, record: Mapping[str, Any]) -> str | None:
        return None

    def deleted_at(self, record: Mapping[str, Any]) -> str | None:
        return record.get("archivedAt") or record.get("updatedAt") if record.get("archived") is True else None

    def _listed(self, api: ApiClient, contract: Contract, *, archived: bool, after: str | None) -> Walk:
        """The whole collection, ascending by id."""
        params: dict[str, Any] = {
            "limit": LIST_PAGE,
            "archived": str(archived).lower(),
            **contract.request.get("params", {}),
        }
        if properties := _properties(contract):
            params["properties"] = ",".join(properties)
        if not contract.request.get("paged", True):
            params = {}
        while True:
            answer, page = api.get(_path(contract), _Results, params | ({"after": after} if after else {}))
            yield Page(observed_at=answer.observed_at, body=compact(answer.body), items="results")
            children = 0
            for child_page, count in self._associations(api, contract, [record.id for record in page.results]):
                children += count
                yield child_page
            after = page.after
            if page.results:
                yield Checkpoint({"after": after, "live_done": archived}, len(page.results), children)
            if after is None:
                return

    def _searched(self, api: ApiClient, contract: Contract, axis: Axis, window: Window, last: str) -> Walk:
        """The records whose created or modified date is in the window, in order of id: a bulk edit gives any number of
        records one timestamp, and a search ends after 10,000 results, but an id is never shared."""
        assert contract.time is not None
        column = contract.time.created if axis == Axis.CREATED else contract.time.changed or contract.time.created
        property_ = next(c for c in contract.columns if c.name == column).path[0].removeprefix("properties.")
        while True:
            filters = [
                {"propertyName": property_, "operator": "GTE", "value": str(int(window.start.timestamp() * 1000))},
                {"propertyName": property_, "operator": "LT", "value": str(int(window.end.timestamp() * 1000))},
                {"propertyName": "hs_object_id", "operator": "GT", "value": last},
            ]
            body = {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": _properties(contract),
                "limit": SEARCH_PAGE,
            }
            answer, page = api.post(f"{_path(contract)}/search", _Results, body, family="search")
            yield Page(observed_at=answer.observed_at, body=compact(answer.body), items="results")
            if not page.results:
                return
            children = 0
            for child_page, count in self._associations(api, contract, [record.id for record in page.results]):
                children += count
                yield child_page
            last = page.results[-1].id
            yield Checkpoint({"after": last}, len(page.results), children)
            if page.after is None:
                return

    def _associations(self, api: ApiClient, contract: Contract, ids: list[str]) -> Iterator[tuple[Page, int]]:
        """The edges of these records, for every child that is an association."""
        for child in contract.children:
            if not child.associate:
                continue
            path = f"/crm/associations/{API_VERSION}/{contract.request['object']}/{child.associate}/batch/read"
            inputs: list[dict[str, str]] = [{"id": id_} for id_ in ids]
            while inputs:
                batch, inputs = inputs[:BATCH], inputs[BATCH:]
                answer, page = api.post(path, _Associations, {"inputs": batch})
                for problem in page.errors:
                    if not (problem.sub_category or problem.category or "").endswith("NO_ASSOCIATIONS_FOUND"):
                        raise RefusedError(
                            f"POST {path}: {problem.category} {problem.sub_category} for one of {len(batch)} records"
                        )
                yield (
                    Page(
                        observed_at=answer.observed_at,
                        body=compact(answer.body),
                        items="results",
                        child=child.stream,
                        associations=True,
                    ),
                    sum(len(edges.to) for edges in page.results),
                )
                inputs += [
                    {"id": edges.from_.id, "after": edges.paging.next.after}
                    for edges in page.results
                    if edges.paging and edges.paging.next
                ]


def _path(contract: Contract) -> str:
    path: str = contract.request["path"]
    return path.format(version=API_VERSION)


def _properties(contract: Contract) -> list[str]:
    """The properties that the contract names, in its order."""
    paths = [path for column in contract.columns for path in column.path]
    if contract.merged_ids:
        paths.append(contract.merged_ids)
    return list(dict.fromkeys(path.removeprefix("properties.") for path in paths if path.startswith("properties.")))


def _error(body: bytes) -> _ErrorBody:
    """The error object; HubSpot answers a missing record with HTML."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody)
    except msgspec.DecodeError:
        return _ErrorBody()


SOURCE = HubSpot()
