"""Associations: all edges of a page of records, read in bulk and to their end."""

import logging
from collections.abc import Iterable

import msgspec

from tributary.api.client import ApiClient, HeavyError, InvalidError
from tributary.sources.base import Page, landed
from tributary.sources.hubspot.answers import Associations, Problem, problems

log = logging.getLogger(__name__)

BATCH = 100
_NONE_FOUND = "NO_ASSOCIATIONS_FOUND"
Input = dict[str, str]


class Links(msgspec.Struct):
    """The edges of some records to one object type."""

    pages: list[Page] = []
    edges: int = 0
    #: Records whose edges could not be read; an empty list of edges would be a lie about them.
    unreadable: set[str] = set()


def read(api: ApiClient, path: str, child: str, ids: Iterable[str]) -> Links:
    """Every edge of these records. One id that HubSpot doesn't take spoils a whole batch; it is found by halving. A
    record whose list doesn't end is unreadable as well."""
    links = Links()
    inputs: list[Input] = [{"id": id_} for id_ in ids]
    asked: set[tuple[str, str]] = set()
    while inputs:
        batch, inputs = inputs[:BATCH], inputs[BATCH:]
        for further in _batch(api, path, child, batch, links):
            page = (further["id"], further["after"])
            if page in asked:
                log.warning("POST %s: the cursor of record %s comes again", path, further["id"])
                links.unreadable.add(further["id"])
            else:
                asked.add(page)
                inputs.append(further)
    if links.unreadable:
        api.counts["records with unreadable associations"] += len(links.unreadable)
        log.warning(
            "POST %s: the associations of %d records could not be read, which are set aside: %s",
            path, len(links.unreadable), ", ".join(sorted(links.unreadable)),
        )  # fmt: skip
    return links


def _batch(api: ApiClient, path: str, child: str, batch: list[Input], links: Links) -> list[Input]:
    """Reads one batch into `links` and returns what has further pages."""
    try:
        answer, found = api.post(path, Associations, {"inputs": batch})
    except (InvalidError, HeavyError):
        return _halves(api, path, child, batch, links)
    asked = {given["id"] for given in batch}
    troubled = [problem for problem in problems(found.errors) if not _none_found(problem)]
    named = {id_ for problem in troubled for id_ in problem.names(asked)}
    if troubled and not named:
        return _halves(api, path, child, batch, links)
    links.unreadable |= named
    links.edges += sum(len(edges.to) for edges in found.results)
    links.pages.append(landed(answer, items="results", child=child, associations=True))
    return [
        {"id": edges.from_.key, "after": edges.paging.after}
        for edges in found.results
        if edges.from_.key and edges.paging and edges.paging.after
    ]


def _halves(api: ApiClient, path: str, child: str, batch: list[Input], links: Links) -> list[Input]:
    if len(batch) == 1:
        links.unreadable.add(batch[0]["id"])
        return []
    middle = len(batch) // 2
    return [further for half in (batch[:middle], batch[middle:]) for further in _batch(api, path, child, half, links)]


def _none_found(problem: Problem) -> bool:
    return (problem.sub_category or problem.category or "").endswith(_NONE_FOUND)
