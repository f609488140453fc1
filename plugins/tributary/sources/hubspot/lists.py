"""Lists: whole collections, ascending by id, page by page."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from tributary.api.answers import Answer
from tributary.api.client import ApiClient
from tributary.sources.hubspot.answers import Results

T = TypeVar("T")


def pages(
    api: ApiClient, path: str, params: Mapping[str, Any], *, limit: int, archived: bool, after: str | None
) -> Iterator[tuple[Answer, Results]]:
    """Every page behind `after`: of the records in use, or of those in the recycle bin."""
    query = {**params, "limit": limit, "archived": str(archived).lower()}
    while True:
        answer, page = api.get(path, Results, query | ({"after": after} if after else {}))
        yield answer, page
        after = page.after
        if after is None:
            return
