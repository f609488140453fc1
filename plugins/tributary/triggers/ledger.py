"""Waits in the triggerer until the ledger covers a window."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tributary.windows import Window, parse


class LedgerTrigger(BaseTrigger):
    """Asks the ledger every `interval` seconds; fires with what is missing when it is nothing, or when time is up."""

    def __init__(
        self,
        window_start: str,
        window_end: str,
        sources: list[str],
        interval: float,
        deadline: float,
        labels: dict[str, str],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.window_start = window_start
        self.window_end = window_end
        self.sources = sources
        self.interval = interval
        self.deadline = deadline
        self.labels = labels

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("window_start", "window_end", "sources", "interval", "deadline", "labels")
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
            await asyncio.sleep(self.interval)

    def _gaps(self) -> list[str]:
        from tributary.hooks.warehouse import WarehouseHook
        from tributary.ledger.read import missing

        need = Window(parse(self.window_start), parse(self.window_end))
        return [str(gap) for gap in missing(WarehouseHook(), need, self.sources, self.labels)]
