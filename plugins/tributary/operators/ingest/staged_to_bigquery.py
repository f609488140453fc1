"""Staged folder -> BigQuery stage tables."""

from functools import partial
from typing import Any

from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.operators.base import TributaryOperator, attempt_chain, job_labels


class StagedToBigQueryOperator(TributaryOperator):
    """Loads one staged folder, one load job per table, into `raw_stage`; returns where it lies."""

    template_fields = ("folder",)
    ui_color = "#fce5cd"

    def __init__(self, *, folder: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder: str = folder

    def run(self, context: Any) -> dict[str, Any]:
        from tributary.flatten.manifest import StagedManifest
        from tributary.hooks.lake import lake_bucket
        from tributary.hooks.pii import personal
        from tributary.landing.lake import read_json
        from tributary.landing.manifest import manifest_name
        from tributary.warehouse.stage import stage

        bucket = lake_bucket()
        manifest = read_json(bucket, manifest_name(self.folder), StagedManifest)
        if manifest is None:
            raise RefusedError(
                f"gs://{bucket.name}/{self.folder} has no manifest, so it is not complete; clear the flatten task"
            )
        context["label"] = manifest.item.label
        contract, warehouse = load_contracts(manifest.item.source)[manifest.item.stream], self.warehouse()
        staged = stage(
            warehouse=warehouse,
            contract=contract,
            manifest=manifest,
            bucket=bucket,
            personal=partial(personal, contract, manifest.item.client_id, warehouse),
            stage_id=attempt_chain(context),
            labels=job_labels(context, manifest.item.stream, manifest.item.client_id),
        )
        return staged.to_dict()
