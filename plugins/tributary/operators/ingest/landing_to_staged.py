"""Landing folder -> staged folder."""

from typing import Any

from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.operators.base import TributaryOperator, attempt_chain


class LandingToStagedOperator(TributaryOperator):
    """Flattens one landing folder into typed rows per table, `gs://<lake>/staged/…`; returns the folder."""

    template_fields = ("folder",)
    ui_color = "#fff2cc"

    def __init__(self, *, folder: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder: str = folder

    def run(self, context: Any) -> str:
        from tributary.flatten.flatten import flatten
        from tributary.hooks.lake import lake_bucket
        from tributary.hooks.pii import personal
        from tributary.landing.lake import read_json
        from tributary.landing.manifest import LandingManifest, manifest_name
        from tributary.sources import source

        bucket = lake_bucket()
        landing = read_json(bucket, manifest_name(self.folder), LandingManifest)
        if landing is None:
            raise RefusedError(
                f"gs://{bucket.name}/{self.folder} has no manifest, so it is not complete; clear the extract task"
            )
        context["label"] = landing.item.label
        contract = load_contracts(landing.item.source)[landing.item.stream]
        staged = flatten(
            source=source(landing.item.source),
            contract=contract,
            landing=landing,
            attempt_id=attempt_chain(context),
            bucket=bucket,
            personal=personal(contract, landing.item.client_id, self.warehouse()),
        )
        return staged.folder
