"""Batches: records by id, with any number of properties, since their names stand in the body."""

import logging
from collections.abc import Iterator, Sequence

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, ApiError
from tributary.errors import RefusedError
from tributary.sources.hubspot.answers import Results
from tributary.sources.hubspot.wanted import Wanted

log = logging.getLogger(__name__)


def records(
    api: ApiClient, path: str, wanted: Wanted, ids: Sequence[str], *, archived: bool
) -> Iterator[tuple[Answer, Results, str]]:
    """The records, some at a time: the answer, what is in it, and the last id that it was asked for.

    A record that went away since its id was found is not among them: it is in the recycle bin, which is read later, or
    merged into another.
    """
    for start in range(0, len(ids), wanted.page):
        batch = ids[start : start + wanted.page]
        body = {"inputs": [{"id": id_} for id_ in batch], **wanted.body}
        answer, page = api.post(path, Results, body, params={"archived": str(archived).lower()})
        _check(api, path, batch, page)
        yield answer, page, batch[-1]


def _check(api: ApiClient, path: str, batch: Sequence[str], page: Results) -> None:
    """A batch that could not be understood is answered with success and nothing in it, so what came back is counted."""
    unknown = [p for p in page.errors if p.category != "OBJECT_NOT_FOUND"]
    if unknown:
        raise RefusedError(
            f"POST {path} with connection {api.connection}: {unknown[0].category} {unknown[0].sub_category or ''} for "
            f"some of {len(batch)} records"
        )
    missing = len(set(batch) - {record.id for record in page.results})
    if not missing:
        return
    if not page.errors and len(page.results) < len(batch):
        raise ApiError(
            f"POST {path} with connection {api.connection}: asked for {len(batch)} records, {len(page.results)} came "
            "back and no word about the others; the task's next attempt asks again"
        )
    api.counts["records gone since they were found"] += missing
    log.info("POST %s: %d of %d records went away since they were found", path, missing, len(batch))
