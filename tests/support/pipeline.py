"""Runs the four steps of a stream in this process, with the same code and services as the operators."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Contract
from tributary.flatten.flatten import flatten
from tributary.flatten.manifest import StagedManifest
from tributary.landing.extract import extract
from tributary.landing.lake import read_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.landing.plan import AUTO, Outlook, Wish, WorkItem, items, span
from tributary.sources import source
from tributary.warehouse.replace import replace
from tributary.warehouse.stage import Staged, stage
from tributary.windows import Window, parse

HISTORY = ("2024-07-01T00:00:00Z", "2026-01-04T00:00:00Z")
_numbers = itertools.count(1)


class Pipeline:
    """The steps of one stream; each call is an attempt chain of its own unless it is given a name."""

    def __init__(self, source_name: str, stream: str, contract: Contract | None = None) -> None:
        self.source = source(source_name)
        self.contract = contract or load_contracts(source_name)[stream]
        self.client = next(iter(load_clients(source_name).values()))

    def item(self, start: str, end: str, axis: str = AUTO) -> WorkItem:
        """The window as the trigger form would have it, but not widened."""
        from tributary.hooks.api import ApiHook

        api, livemode = ApiHook(self.source, self.client).client()
        now = self.source.check_account(api, self.client, livemode)
        literal = self.contract.model_copy(update={"lookback": timedelta(0)})
        wish = Wish(window=Window(parse(start), parse(end)), explicit=True, axis=axis)
        found = span(literal, self.client, wish, Outlook(now=now, feed_memory=self.source.feed_memory))
        return next(items(self.contract, self.client, found))

    def extract(
        self, start: str, end: str, axis: str = AUTO, name: str | None = None, sleep: Any = None
    ) -> LandingManifest:
        from tributary.hooks.api import ApiHook

        api, livemode = ApiHook(self.source, self.client).client()
        if sleep:
            api._sleep = sleep
        return extract(
            source=self.source,
            api=api,
            livemode=livemode,
            contract=self.contract,
            client=self.client,
            item=self.item(start, end, axis),
            extraction_id=name or f"extract{next(_numbers)}",
            bucket=bucket(),
        )

    def flatten(self, landing: LandingManifest, name: str | None = None) -> StagedManifest:
        from tributary.hooks.pii import personal

        return flatten(
            source=self.source,
            contract=self.contract,
            landing=landing,
            attempt_id=name or f"flatten{next(_numbers)}",
            bucket=bucket(),
            personal=personal(self.contract, landing.item.client_id, warehouse()),
        )

    def stage(self, manifest: StagedManifest, name: str | None = None) -> Staged:
        from tributary.hooks.pii import personal

        return stage(
            warehouse=warehouse(),
            contract=self.contract,
            manifest=manifest,
            bucket=bucket(),
            personal=lambda: personal(self.contract, manifest.item.client_id, warehouse()),
            stage_id=name or f"t{next(_numbers)}",
            labels={"dag": "test"},
        )

    def replace(
        self, staged: Iterable[tuple[Staged, StagedManifest]], load_id: str | None = None
    ) -> dict[str, dict[str, Any]]:
        rows = replace(
            warehouse=warehouse(),
            bucket=bucket(),
            contract=self.contract,
            staged=list(staged),
            load_id=load_id or f"load{next(_numbers)}",
            attempt=1,
            dag_id="test",
            run_id=f"run {next(_numbers)}",
            labels={"dag": "test"},
        )
        return {row["table_name"]: row for row in rows}

    def load(self, landing: LandingManifest) -> dict[str, dict[str, Any]]:
        """Flatten, stage and replace one landing folder; the ledger's counts by table."""
        staged = self.stage(self.flatten(landing))
        # Not always the folder that was to be staged: what is refused is left out of another.
        manifest = read_json(bucket(), manifest_name(staged.folder), StagedManifest)
        assert manifest
        return self.replace([(staged, manifest)])

    def run(self, start: str, end: str, axis: str = AUTO) -> dict[str, dict[str, Any]]:
        return self.load(self.extract(start, end, axis))


def bucket() -> Any:
    from tributary.hooks.lake import lake_bucket

    return lake_bucket()


def warehouse() -> Any:
    from tributary.hooks.warehouse import WarehouseHook

    return WarehouseHook()


def query(sql: str) -> list[dict[str, Any]]:
    return list(warehouse().query(sql, {"dag": "test"}))


VOLATILE = {"_run_id", "_extracted_at", "_observed_at", "_window_start", "_window_end"}
"""The only columns that a rerun may change."""


def content(table: str) -> list[dict[str, Any]]:
    """Every row of a table, without what a rerun may change, in a fixed order."""
    rows = [
        {name: value for name, value in row.items() if name not in VOLATILE} for row in query(f"select * from {table}")
    ]
    return sorted(rows, key=repr)


def empty(*tables: str) -> None:
    """Start a test without what others loaded."""
    for table in tables:
        for name in (f"raw.{table}", f"raw_history.{table}"):
            if warehouse().columns(name) is not None:
                query(f"delete from {name} where true")
