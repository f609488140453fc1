"""Lists: whole collections, ascending by id, page by page."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tributary.api.answers import Answer
from tributary.api.client import ApiClient, ApiError
from tributary.sources.hubspot.answers import Results

#: How often a cursor may come back: a page that is served twice is no harm, one that is served for ever is.
_REPEATS = 3
Ask = Callable[[dict[str, Any]], tuple[Answer, Results]]


def pages(
    api: ApiClient, path: str, ask: Ask, *, archived: bool, after: str | None
) -> Iterator[tuple[Answer, Results]]:
    """Every page behind `after`: of the records in use, or of those in the recycle bin. `ask` sends a query.

    Raises:
        ApiError: a cursor comes again and again.
    """
    seen: Counter[str] = Counter()
    while True:
        answer, page = ask({"archived": str(archived).lower()} | ({"after": after} if after else {}))
        yield answer, page
        after = page.after
        if after is None:
            return
        seen[after] += 1
        if seen[after] > _REPEATS:
            raise ApiError(
                f"GET {path} with connection {api.connection}: the cursor {after!r} came {seen[after]} times, so the "
                "list doesn't end; nothing was loaded, the task's next attempt goes on from the last finished page"
            )
