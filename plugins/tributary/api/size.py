"""Adapts the page size: smaller after an answer that did not arrive whole, larger again after some that did."""

from collections.abc import Iterator, Mapping
from typing import Any

#: After so many pages that came, twice as much is tried again.
_CALM = 10


class Size:
    """The size of a walk's pages.

    Args:
        most: records of a page, if nothing stands against it.
        dropping: a parameter that makes answers heavy, left out when not even a single record comes with it.
    """

    def __init__(self, most: int, dropping: str | None = None) -> None:
        self.limit = self._most = most
        self._dropping = dropping
        self._bare = False
        self._calm = 0

    def of(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with the present size."""
        return {**params, "limit": self.limit}

    def lighter(self, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The parameters for one request again, each time for half of it."""
        while self.limit > 1:
            self.limit //= 2
            self._calm = 0
            yield self.of(params)
        if self._dropping in params:
            self._bare = True
            yield {name: value for name, value in self.of(params).items() if name != self._dropping}

    def delivered(self) -> bool:
        """Take note of a page that came; whether it lacks what was dropped."""
        self._calm += 1
        if self._calm >= _CALM:
            self.limit, self._calm = min(self._most, 2 * self.limit), 0
        bare, self._bare = self._bare, False
        return bare
