"""The first task of an ingest run: what will be read."""

from typing import Any

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.operators.base import TributaryOperator, context_window
from tributary.plan import plan


class PlanOperator(TributaryOperator):
    """Turns Params and data interval into work items by stream; refuses what can't be meant before anything runs."""

    ui_color = "#e8eef7"

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def run(self, context: Any) -> dict[str, list[dict[str, Any]]]:
        params = context["params"]
        window = context_window(context)
        items = plan(
            load_contracts(self.source),
            load_clients(self.source),
            window=window,
            scheduled=params["window_start"] is None,
            streams=params["streams"],
            client_ids=params["clients"],
            axis=params["axis"],
            chunk_days=params["chunk_days"],
        )
        chosen = {stream: len(found) for stream, found in items.items() if found}
        self.log.info("%s: window %s, extractions by stream: %s", self.source, window, chosen)
        return items
