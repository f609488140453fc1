"""One request at a time on the one connection to the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def apply() -> None:
    """Run every route in the server's one thread.

    Stock runs those that read (tabledata.list, tables.get) in threads beside it, on the same connection: two requests
    then get each other's rows, and a load meets another table's columns.
    """
    from fastapi import routing

    async def here(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    vars(routing)["run_in_threadpool"] = here
