"""The first task of a lane: what will be read."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk.exceptions import AirflowSkipException

from tributary.clients import Client, load_clients
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError, TributaryError
from tributary.landing.plan import MOST_CHUNKS, Outlook, Wish, choose, cuts_by_days, cuts_by_size, items, span
from tributary.operators.base import TributaryOperator, context_window, job_labels

if TYPE_CHECKING:
    from tributary.ledger.coverage import Loaded


class PlanOperator(TributaryOperator):
    """Turns Params, data interval and ledger into the work items of one stream, and refuses what can't be meant."""

    ui_color = "#e8eef7"

    def __init__(self, *, source: str, stream: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.stream = stream

    def run(self, context: Any) -> list[dict[str, Any]]:
        from tributary.hooks.pii import pii_keys
        from tributary.ledger.read import loads

        params = context["params"]
        contracts, clients = load_contracts(self.source), load_clients(self.source)
        if self.stream not in choose("stream", params["streams"], contracts):
            raise AirflowSkipException(f"{self.stream} was not chosen in the trigger form")
        wish = Wish(
            window=context_window(context),
            explicit=params["window_start"] is not None,
            axis=params["axis"],
            chunk_days=params["chunk_days"],
            everything=params["everything"],
        )
        chosen = choose("client", params["clients"], clients)
        if not chosen:
            raise RefusedError(f"no client of {self.source} is declared; add one to include/clients.yml")
        contract = contracts[self.stream]
        if contract.hashes:
            # What can't be staged needn't be asked for.
            pii_keys()
        labels = job_labels(context, self.stream)
        if params["replay"]:
            return self._replays([clients[client_id] for client_id in chosen], wish, labels)
        ledger = loads(self.warehouse(), self.source, labels, self.stream)
        planned = []
        for client_id in chosen:
            planned += self._items(
                contract, clients[client_id], wish, ledger, self._ids(contract, clients[client_id], context)
            )
        # Tasks are started in this order.
        return planned[::-1] if params["newest_first"] else planned

    def _replays(self, clients: list[Client], wish: Wish, labels: dict[str, str]) -> list[dict[str, Any]]:
        """Landing folders with open rejects; of the window, if one was given."""
        from tributary.ledger.replay import replays

        window = wish.window if wish.explicit else None
        found = replays(self.warehouse(), self.source, self.stream, clients, window, labels)
        if not found.items:
            raise AirflowSkipException(
                f"{self.source}.{self.stream} has no open reject{f' in {window}' if window else ''}"
            )
        self.log.info(
            "%s.%s: %d open rejects in %d landing folders, which are flattened again without asking the API",
            self.source, self.stream, found.rejects, len(found.items),
        )  # fmt: skip
        if found.left:
            self.log.warning("%d folders are left for another run of the same; a window chooses which", found.left)
        return [item.to_dict() for item in found.items]

    def _ids(self, contract: Contract, client: Client, context: Any) -> tuple[str, ...]:
        """The records that are read by id besides."""
        from tributary.ledger.unlisted import wanted_ids

        labels = job_labels(context, self.stream, client.client_id)
        ids = wanted_ids(self.warehouse(), contract, client, context["run_id"], labels)
        if ids:
            self.log.info(
                "%s of client %s: %d records that lists leave out are read by id",
                contract.name, client.client_id, len(ids),
            )  # fmt: skip
        return ids

    def _items(
        self, contract: Contract, client: Client, wish: Wish, ledger: "list[Loaded]", ids: tuple[str, ...] = ()
    ) -> list[dict[str, Any]]:
        """The items of one client. One whose account can't be asked gets its window all the same: `extract` says why it
        fails or has to wait, and the other clients are read."""
        from tributary.hooks.api import ApiHook
        from tributary.ledger.coverage import covered
        from tributary.sources import source

        api_source = source(self.source)
        api, now = None, datetime.now(UTC)
        try:
            api, livemode = ApiHook(api_source, client).client()
            now = api_source.check_account(api, client, livemode)
        except TributaryError as error:
            api = None
            self.log.error("%s of client %s: %s", contract.name, client.client_id, error)
        outlook = Outlook(now=now, covered=covered(contract, client, ledger), feed_memory=api_source.feed_memory)
        found = span(contract, client, wish, outlook)
        cuts = []
        if found.axis == Axis.CREATED and wish.chunk_days:
            cuts = cuts_by_days(found.window, wish.chunk_days)
        elif found.axis == Axis.CREATED and api:
            try:
                if extent := api_source.extent(api, contract, found.window):
                    cuts = cuts_by_size(found.window, extent.oldest, extent.records)
            except TributaryError as error:
                self.log.error("%s of client %s: %s", contract.name, client.client_id, error)
        planned = list(items(contract, client, found, cuts))
        planned[-1] = msgspec.structs.replace(planned[-1], ids=ids)
        if len(planned) > MOST_CHUNKS:
            raise RefusedError(
                f"{contract.name} of client {client.client_id}: {found.window} in {len(planned)} chunks, of which one "
                f"load takes {MOST_CHUNKS}; nothing was read. Trigger again with longer chunks or a shorter window"
            )
        self.log.info(
            "%s of client %s: %s on the %s axis in %d chunks: %s",
            contract.name, client.client_id, found.window, found.axis, len(planned), found.reason,
        )  # fmt: skip
        return [item.to_dict() for item in planned]
