"""The rendered load script, where BigQuery is stricter than the emulator."""

import hashlib
import re

import sqlglot

from tests.conftest import ROOT
from tributary.contracts.loader import load_all
from tributary.contracts.model import Axis
from tributary.contracts.system import HISTORY_COLUMNS, SYSTEM_COLUMNS
from tributary.flatten.manifest import DriftReport, StagedManifest, StagedTable
from tributary.landing.plan import MOST_CHUNKS, WorkItem
from tributary.warehouse.replace import render_replace
from tributary.warehouse.stage import Staged
from tributary.warehouse.tables import OPS_VERSION

OPS = (3, "5892a1ee91acf862")
REFUSED = ("_partition", "_table_", "_file_", "_row_timestamp", "__root__", "_colidentifier")
"""BigQuery refuses column names with these beginnings."""


def rendered(contract, axis="created", chunks=1):
    from datetime import UTC, datetime

    when = datetime(2026, 1, 5, tzinfo=UTC)
    item = WorkItem(
        source=contract.source,
        stream=contract.stream,
        client_id="o'hara",
        axis=Axis(axis),
        axis_reason="it's a test",
        window_start="2026-01-04T00:00:00Z",
        window_end="2026-01-05T00:00:00Z",
    )
    own = contract.tables[0].name
    drift = DriftReport(table=own, kind="unknown", path="it's", found="string", records=1, pointer="x#1:1")
    manifest = StagedManifest(
        folder="f",
        landing_folder="l",
        extraction_id="e",
        item=item,
        axis=axis,
        axis_reason="it's a test",
        observed_from=when,
        observed_to=when,
        contract_version=1,
        received=0,
        rejected=0,
        keyless_rejects=0,
        tables={table.name: StagedTable() for table in contract.tables},
        rejects=[],
        drift=[drift],
    )
    staged = Staged(
        folder="f", tables={table.name: f"raw_stage.{table.name}" for table in contract.tables}, rejects="raw_stage.r"
    )
    return render_replace(
        contract=contract,
        staged=[(staged, manifest)] * chunks,
        project="p",
        bounds="_record_date between date '2026-01-01' and date '2026-01-05'",
        fence=None,
        load_id="load",
        attempt=1,
        dag_id="d",
        run_id="r",
    )


def test_the_longest_script_is_one_that_bigquery_takes():
    """At most 1 MB, of which names and moments that are longer than the ones here take a tenth."""
    for contracts in load_all().values():
        for contract in contracts.values():
            assert len(rendered(contract, chunks=MOST_CHUNKS).encode()) < 900_000, contract.name


def test_every_stream_renders_statements_that_parse_as_bigquery():
    for streams in load_all().values():
        for contract in streams.values():
            for axis in ("created", "changed", "whole"):
                statements = sqlglot.parse(rendered(contract, axis), read="bigquery")
                assert len([s for s in statements if s is not None]) > 10


def test_no_literal_doubles_its_quotes():
    """BigQuery escapes a quote with a backslash; two literals side by side are an error that the emulator accepts."""
    for streams in load_all().values():
        for contract in streams.values():
            assert not re.search(r"\w''\w", rendered(contract))


def test_every_delete_and_update_has_literal_partition_bounds():
    script = rendered(load_all()["stripe"]["invoices"])
    for statement in script.split(";"):
        if re.match(r"\s*(?:--.*\n)*\s*(delete from|update) `p\.raw\.", statement):
            assert "_record_date between date '2026-01-01' and date '2026-01-05'" in statement


def test_a_change_of_the_ops_tables_raises_their_version():
    """A deployment runs include/sql/ops.sql again only when OPS_VERSION is higher than what it has."""
    digest = hashlib.sha256((ROOT / "include" / "sql" / "ops.sql").read_bytes()).hexdigest()[:16]
    assert (OPS_VERSION, digest) == OPS, "raise OPS_VERSION (tributary.warehouse.tables) and note both here"


def test_no_column_has_a_name_that_bigquery_refuses():
    names = [*SYSTEM_COLUMNS, *HISTORY_COLUMNS]
    names += [c.name for s in load_all().values() for k in s.values() for t in k.tables for c in t.columns]
    assert not [name for name in names if name.lower().startswith(REFUSED)]
