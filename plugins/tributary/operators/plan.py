"""The first task of a lane: what will be read."""

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.operators.base import TributaryOperator, context_window
from tributary.plan import choose, plan


class PlanOperator(TributaryOperator):
    """Turns Params and data interval into the work items of one stream, and refuses what can't be meant."""

    ui_color = "#e8eef7"

    def __init__(self, *, source: str, stream: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.stream = stream

    def run(self, context: Any) -> list[dict[str, Any]]:
        params = context["params"]
        contracts, clients = load_contracts(self.source), load_clients(self.source)
        window = context_window(context)
        chosen = choose("client", params["clients"], clients)
        if not chosen:
            raise RefusedError(f"no client of {self.source} is declared; add one to include/clients.yml")
        if self.stream not in choose("stream", params["streams"], contracts):
            raise AirflowSkipException(f"{self.stream} was not chosen in the trigger form")
        items = plan(
            contracts[self.stream],
            {client_id: clients[client_id] for client_id in chosen},
            window=window,
            axis=params["axis"],
            chunk_days=params["chunk_days"],
        )
        self.log.info("%s: window %s, %s", self.stream, window, ", ".join(item["label"] for item in items))
        return items
