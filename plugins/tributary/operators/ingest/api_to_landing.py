"""API -> landing folder."""

from typing import Any

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.landing.plan import WorkItem
from tributary.operators.base import TributaryOperator, attempt_chain


class ApiToLandingOperator(TributaryOperator):
    """Extracts one work item, page by page, into `gs://<lake>/landing/…`; returns the folder.

    A replay has its folder already: it is looked at, and the API is not asked.
    """

    template_fields = ("item",)
    ui_color = "#d9ead3"

    def __init__(self, *, item: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item

    def run(self, context: Any) -> str:
        from tributary.hooks.api import ApiHook
        from tributary.hooks.lake import lake_bucket
        from tributary.landing.extract import extract
        from tributary.ledger.replay import landed
        from tributary.sources import source

        item = WorkItem.from_dict(self.item)
        context["label"] = item.label
        if item.folder:
            return landed(lake_bucket(), item)
        api_source = source(item.source)
        client = load_clients(item.source)[item.client_id]
        api, livemode = ApiHook(api_source, client).client()
        return extract(
            source=api_source,
            api=api,
            livemode=livemode,
            contract=load_contracts(item.source)[item.stream],
            client=client,
            item=item,
            extraction_id=attempt_chain(context),
            bucket=lake_bucket(),
        ).folder
