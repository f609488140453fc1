"""HubSpot as the pipeline sees it: searches for what changed, lists for whole collections, batches for the records."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tributary.api.answers import Answer, Judgement
from tributary.api.client import TOO_LONG, ApiClient, InvalidError, MissingError
from tributary.api.size import Size
from tributary.clients import Client
from tributary.concurrency import POOL_SLOTS, spacing
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError, TributaryError
from tributary.settings import settings
from tributary.sources.base import Checkpoint, Extent, Page, Walk, landed
from tributary.sources.hubspot import associations, batches, errors, lists, values
from tributary.sources.hubspot.answers import Anything, Catalogue, Portal, Results
from tributary.sources.hubspot.limits import CRM_BUDGET, SEARCH_BUDGET, burst
from tributary.sources.hubspot.paths import Paths
from tributary.sources.hubspot.search import Search
from tributary.sources.hubspot.wanted import PAGE, Wanted, Wish, property_of, wanted, wants_rest
from tributary.windows import Window

log = logging.getLogger(__name__)

_IDS_ONLY = Wanted(("hs_object_id",))


class HubSpot:
    """https://developers.hubspot.com, at the version of the settings."""

    name = "hubspot"
    feed_memory = None
    lists_by_id = True
    erase_by_hand = "delete these contacts for good in HubSpot (Actions > Delete > Permanently delete)"

    @property
    def api_version(self) -> str:
        return settings().hubspot_version

    @property
    def token_path(self) -> str:
        return self._paths.token

    @property
    def _paths(self) -> Paths:
        return Paths(self.api_version)

    def spacing(self, client: Client) -> Mapping[str, float]:
        own, tasks = client.requests_per_second, POOL_SLOTS[self.name]
        return {
            "default": spacing(own, 1, tasks) if own else spacing(CRM_BUDGET, 10, tasks),
            "search": spacing(own or SEARCH_BUDGET, 1, tasks),
        }

    def headers(self) -> dict[str, str]:
        return {}

    def judge(self, answer: Answer) -> Judgement:
        return errors.judge(answer)

    def check_account(self, api: ApiClient, client: Client, livemode: bool | None) -> datetime:
        answer, portal = api.get(self._paths.account, Portal)
        if str(portal.portal_id) != client.account:
            raise RefusedError(
                f"connection {client.connection} leads to HubSpot portal {portal.portal_id}, but "
                f"client {client.client_id} is pinned to {client.account}; nothing was read. "
                "Correct the token in the connection, or clients.yml"
            )
        api.quota_zone = ZoneInfo(portal.time_zone)
        if (budget := burst(answer)) and not client.requests_per_second:
            api.pace("default", spacing(*budget, POOL_SLOTS[self.name]))
        return answer.source_now

    def account_currency(self, api: ApiClient) -> str | None:
        return None  # deals name their own

    def extent(self, api: ApiClient, contract: Contract, window: Window) -> Extent | None:
        """A collection is listed in the order of its ids, so it can't be cut by time."""
        return None

    def covered_until(
        self, contract: Contract, axis: Axis, window: Window, client: Client, source_now: datetime
    ) -> datetime:
        """The search index is behind, so what was changed a moment ago can't be found yet; lists are never behind."""
        if _is_listed(axis, window, client):
            return window.end
        return min(window.end, source_now - contract.index_lag)

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
        """Live records first, then the archived ones, which no search returns. Lists leave out nothing, so there are
        no `ids`."""
        try:
            match contract.request.get("kind", "objects"):
                case "owners":
                    yield from self._owners(api, cursor)
                case "pipelines":
                    yield from self._at_once(api, self._paths.pipelines(contract.request["object"]))
                case "properties":
                    yield from self._catalogues(api)
                case _:
                    yield from _Objects(api, self._paths, contract).walk(axis, window, client, cursor)
        except MissingError as error:
            # Ids are walked upwards, so no record that goes away can take the place of the walk with it.
            raise RefusedError(
                f"{contract.name}: {error}; the portal has no such object type, or HubSpot no such version "
                f"({self.api_version})"
            ) from None

    def stub_id(self, record: Mapping[str, Any]) -> str | None:
        return None

    def deleted_at(self, record: Mapping[str, Any]) -> str | None:
        if record.get("archived") is not True:
            return None
        return record.get("archivedAt") or record.get("updatedAt") or ""

    def erase(self, api: ApiClient, id_: str) -> None:
        """For good, with what hangs on the contact; HubSpot takes up to 30 days for the last copy."""
        with suppress(MissingError):
            api.post(self._paths.erase("contacts"), type(None), {"objectId": id_})

    def conversions(self, definitions: Iterable[Mapping[str, Any]]) -> Mapping[str, values.Convert]:
        return values.conversions(definitions)

    def _owners(self, api: ApiClient, cursor: dict[str, Any]) -> Walk:
        path = self._paths.owners

        def ask(query: dict[str, Any]) -> tuple[Answer, Results]:
            return api.get(path, Results, {"limit": PAGE, **query})

        for archived in (False, True):
            if archived < cursor.get("archived", False):
                continue
            after = cursor.get("after") if archived == cursor.get("archived", False) else None
            found = lists.pages(api, path, ask, archived=archived, after=after)
            for answer, page in found:
                yield landed(answer, items="results")
                yield Checkpoint(_behind(archived, page), len(page.results))

    def _catalogues(self, api: ApiClient) -> Walk:
        """The properties of every object type. One that the token may not see, or that the portal doesn't have, stops
        none of the others; what is known of it stays as it is."""
        refused: list[TributaryError] = []
        types = _object_types()
        for object_ in types:
            try:
                yield from self._at_once(api, self._paths.properties(object_), {"objectType": object_})
            except (RefusedError, MissingError) as error:
                refused.append(error)
                if len(refused) == len(types):
                    raise
                api.counts["object types that could not be read"] += 1
                log.warning("properties of %s: %s; the other object types are read", object_, error)
                yield Checkpoint({}, 0, unread=(object_,))

    def _at_once(self, api: ApiClient, path: str, given: dict[str, str] | None = None) -> Walk:
        """A collection that the API answers in one piece."""
        answer, page = api.get(path, Anything)
        yield landed(answer, items="results", given=given or {})
        yield Checkpoint({}, len(page.results))


class _Objects:
    """The walk over the records of one object type."""

    def __init__(self, api: ApiClient, paths: Paths, contract: Contract) -> None:
        self._api = api
        self._paths = paths
        self._contract = contract
        self._object: str = contract.request["object"]

    def walk(self, axis: Axis, window: Window, client: Client, cursor: dict[str, Any]) -> Walk:
        answer, catalogue = self._api.get(self._paths.properties(self._object), Catalogue)
        names = {definition.name: None for definition in catalogue.results}
        self._wish = Wish(wanted(self._contract, names), names, self._tell_refused)
        self._ids_only = not self._wish.wanted.fits_in_url
        self._tell_unknown()
        if wants_rest(self._contract):
            yield landed(answer, items="results", definitions=True)
        archived, after = cursor.get("archived", False), cursor.get("after")
        if not archived:
            if _is_listed(axis, window, client):
                yield from self._listed(archived=False, after=after)
            else:
                yield from self._searched(axis, window, after or "0")
                yield Checkpoint({"archived": True}, 0)
        yield from self._listed(archived=True, after=after if archived else None)

    def _tell_unknown(self) -> None:
        """HubSpot leaves out a property that it doesn't know without a word, and its column would be null for ever."""
        if unknown := self._wish.unknown:
            self._api.counts["properties unknown to the portal"] = len(unknown)
            log.warning(
                "%s: the portal has no property %s; the columns stay null", self._contract.name, ", ".join(unknown)
            )

    def _tell_refused(self, names: Iterable[str]) -> None:
        """A property that no catalogue names may be there and be kept from this token."""
        self._api.counts["properties refused by the portal"] += 1
        log.warning(
            "%s: the token may not see %s; the columns stay null. Grant the scope for sensitive data to read them",
            self._contract.name, ", ".join(names),
        )  # fmt: skip

    def _listed(self, *, archived: bool, after: str | None) -> Walk:
        """The whole collection. Its records come with the list, unless their properties are too many for a URL."""
        path = self._paths.objects(self._object)
        size = Size(self._wish.wanted.page)

        def asked(wanted: Wanted, query: dict[str, Any]) -> tuple[Answer, Results]:
            params = {**wanted.params, **query}
            found = self._api.get(path, Results, size.of(params), lighter=size.lighter(params))
            size.delivered()
            return found

        def ask(query: dict[str, Any]) -> tuple[Answer, Results]:
            if not self._ids_only:
                try:
                    return self._wish.asked(lambda wanted: asked(wanted, query))
                except InvalidError as error:
                    if error.status not in TOO_LONG:
                        raise
                    # Something on the way takes shorter URLs than HubSpot does.
                    log.warning("%s: %s; ids are listed, and the records read by them", self._contract.name, error)
                    self._ids_only = True
            return asked(_IDS_ONLY, query)

        for answer, page in lists.pages(self._api, path, ask, archived=archived, after=after):
            if not self._ids_only:
                records, children = yield from self._landed(answer, page, archived=archived)
            else:
                records, children = 0, 0
                for batch, found, _ in self._batches(page.keys, archived=archived):
                    more, edges = yield from self._landed(batch, found, archived=archived)
                    records, children = records + more, children + edges
            yield Checkpoint(_behind(archived, page), records, children)

    def _searched(self, axis: Axis, window: Window, after: str) -> Walk:
        time = self._contract.time
        assert time is not None
        column = time.created if axis == Axis.CREATED else time.changed or time.created
        property_ = property_of(self._contract, column)
        search = Search(self._api, self._paths.search(self._object), property_, window)
        for ids in search.segments(after):
            for answer, found, last in self._batches(ids, archived=False):
                records, children = yield from self._landed(answer, found, archived=False)
                yield Checkpoint({"after": last}, records, children)

    def _batches(self, ids: list[str], *, archived: bool) -> Iterator[tuple[Answer, Results, str]]:
        return batches.records(self._api, self._paths.batch(self._object), self._wish, ids, archived=archived)

    def _landed(self, answer: Answer, page: Results, *, archived: bool) -> Generator[Page, None, tuple[int, int]]:
        """A page of records with all their edges; returns how many of either. Archived records have no edges."""
        links = []
        for child in self._contract.children:
            if child.associate and page.keys and not archived:
                path = self._paths.associations(self._object, child.associate)
                links.append(associations.read(self._api, path, child.stream, page.keys))
        incomplete = sorted(set().union(*(link.unreadable for link in links)))
        yield landed(answer, items="results", incomplete=tuple(incomplete))
        for link in links:
            yield from link.pages
        return len(page.results), sum(link.edges for link in links)


def _is_listed(axis: Axis, window: Window, client: Client) -> bool:
    """Return True if all records are requested, which a list gives and a search does not."""
    return axis == Axis.WHOLE or (axis == Axis.CREATED and window.start <= client.since_at)


def _behind(archived: bool, page: Results) -> dict[str, Any]:
    """Return the next step of the walk: the next page, else the archived records, else None."""
    if page.after is not None:
        return {"archived": archived, "after": page.after}
    return {"done": True} if archived else {"archived": True}


def _object_types() -> list[str]:
    """The object types that contracts read records of."""
    contracts = load_contracts("hubspot").values()
    return [c.request["object"] for c in contracts if c.request.get("kind", "objects") == "objects"]
