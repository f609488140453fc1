"""Batches: records by id, with any number of properties, since their names stand in the body."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, ApiError, HeavyError
from tributary.errors import RefusedError
from tributary.sources.hubspot.answers import Results, problems
from tributary.sources.hubspot.wanted import Wanted, Wish

log = logging.getLogger(__name__)

_NOT_FOUND = "OBJECT_NOT_FOUND"


def records(
    api: ApiClient, path: str, wish: Wish, ids: Sequence[str], *, archived: bool
) -> Iterator[tuple[Answer, Results, str]]:
    """The records, some at a time: the answer, what is in it, and the last id that it was asked for.

    A record that went away since its id was found is not among them: it is in the recycle bin, which is read later, or
    merged into another.
    """
    for start in range(0, len(ids), wish.wanted.page):
        yield from _batch(api, path, wish, ids[start : start + wish.wanted.page], archived=archived)


def _batch(
    api: ApiClient, path: str, wish: Wish, batch: Sequence[str], *, archived: bool
) -> Iterator[tuple[Answer, Results, str]]:
    """One batch, in halves where its answer doesn't come whole."""
    try:
        answer, page = wish.asked(partial(_read, api, path, batch, archived))
    except HeavyError:
        if len(batch) == 1:
            raise
        middle = len(batch) // 2
        yield from _batch(api, path, wish, batch[:middle], archived=archived)
        yield from _batch(api, path, wish, batch[middle:], archived=archived)
        return
    _check(api, path, batch, page)
    yield answer, page, batch[-1]


def _read(api: ApiClient, path: str, batch: Sequence[str], archived: bool, wanted: Wanted) -> tuple[Answer, Results]:
    body = {"inputs": [{"id": id_} for id_ in batch], **wanted.body}
    return api.post(path, Results, body, params={"archived": str(archived).lower()})


def _check(api: ApiClient, path: str, batch: Sequence[str], page: Results) -> None:
    """A batch that could not be understood is answered with success and nothing in it, so what came back is counted."""
    told = problems(page.errors)
    unknown = [problem for problem in told if problem.category != _NOT_FOUND]
    if unknown:
        raise RefusedError(
            f"POST {path} with connection {api.connection}: {unknown[0].category or 'an error'} "
            f"{unknown[0].sub_category} for some of {len(batch)} records"
        )
    missing = len(set(batch) - set(page.keys))
    if not missing:
        return
    if not told and len(page.results) < len(batch):
        raise ApiError(
            f"POST {path} with connection {api.connection}: asked for {len(batch)} records, {len(page.results)} came "
            "back and no word about the others; the task's next attempt asks again"
        )
    api.counts["records gone since they were found"] += missing
    log.info("POST %s: %d of %d records went away since they were found", path, missing, len(batch))
