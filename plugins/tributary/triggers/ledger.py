"""Waits in the triggerer until the ledger covers a window."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tributary.windows import Window, parse


def pause(waited: float) -> float:
    """Returns the seconds until the next look: a tenth of what was waited already, at least one, at most a minute."""
    return min(max(waited / 10, 1.0), 60.0)


class LedgerTrigger(BaseTrigger):
    """Asks the ledger again and again; fires with what is missing when it is nothing, or when time is up.

    `since` is when the waiting began and `deadline` when it ends, in seconds since 1970: a triggerer that is started
    anew goes on where the former one was.
    """

    def __init__(
        self,
        window_start: str,
        window_end: str,
        sources: list[str],
        since: float,
        deadline: float,
        labels: dict[str, str],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.window_start = window_start
        self.window_end = window_end
        self.sources = sources
        self.since = since
        self.deadline = deadline
        self.labels = labels

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("window_start", "window_end", "sources", "since", "deadline", "labels")
        return ("tributary.triggers.ledger.LedgerTrigger", {name: getattr(self, name) for name in names})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        known: list[str] | None = None
        while True:
            # The ordinary client in a thread: the async ones of the provider know only half of the settings.
            gaps = await asyncio.to_thread(self._gaps)
            if not gaps or time.time() >= self.deadline:
                yield TriggerEvent({"missing": gaps})
                return
            if gaps != known:
                self.log.info("waiting for %d: %s", len(gaps), "; ".join(gaps))
                known = gaps
            now = time.time()
            await asyncio.sleep(min(pause(now - self.since), max(self.deadline - now, 0)))

    def _gaps(self) -> list[str]:
        from tributary.hooks.warehouse import WarehouseHook
        from tributary.ledger.read import missing

        need = Window(parse(self.window_start), parse(self.window_end))
        return [str(gap) for gap in missing(WarehouseHook(), need, self.sources, self.labels)]
