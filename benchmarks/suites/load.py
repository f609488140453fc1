"""Measures a load from staged files to replaced rows on the emulators, and the bytes that it would scan in BigQuery.

The emulator's seconds say nothing about BigQuery's, but much about the work per row. The bytes don't depend on who
runs the script: its partition bounds are literals, so they are read from the script and counted in the table.
"""

import json
import os
import re
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.invoices import TOKEN, templates
from benchmarks.report import Report
from local.services import EMULATORS
from local.stack import start_stack
from tests.support.pipeline import Pipeline, bucket, warehouse
from tributary.contracts.model import Axis
from tributary.landing.lake import LineWriter
from tributary.landing.manifest import LandingManifest, landing_folder
from tributary.landing.plan import WorkItem
from tributary.privacy.rows import Personal
from tributary.sources.base import Page, compact
from tributary.warehouse import replace as replacing
from tributary.warehouse.stage import stage

ALL, DAY = ("2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z"), ("2025-06-10T00:00:00Z", "2025-06-11T00:00:00Z")
_BOUNDS = re.compile(r"_record_date between date '(\S+)' and date '(\S+)'")
_LABELS = {"dag": "benchmark"}


class _Recording:
    """A warehouse that keeps the scripts that it ran."""

    def __init__(self) -> None:
        self._warehouse = warehouse()
        self.scripts: list[str] = []

    def query(self, sql: str, labels: dict[str, str]) -> Any:
        self.scripts.append(sql)
        return self._warehouse.query(sql, labels)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)


def run(report: Report, short: bool) -> None:
    """Load a history, then one day of it again."""
    pages = [body.replace(TOKEN.encode(), b"000000") for body in templates(20 if short else 100)]
    records = [record for body in pages for record in json.loads(body)["data"]]
    day = [r for r in records if DAY[0] <= datetime.fromtimestamp(r["created"], UTC).isoformat() < DAY[1]]
    with tempfile.TemporaryDirectory() as folder, start_stack(EMULATORS, base_dir=Path(folder)) as environment:
        os.environ.update(environment)
        recording = _Recording()
        rows = [
            {"": name, **_load(recording, name, window, batch)}
            for name, window, batch in (("history", ALL, records), ("one_day_again", DAY, day))
        ]
        script = next(sql for sql in reversed(recording.scripts) if _BOUNDS.search(sql))
        scanned = [_scanned(recording, table, script) for table in ("stripe_invoices", "stripe_invoice_lines")]
    report.table("load on the emulators", rows)
    report.table("rows that one day's load reads in the raw tables", scanned)
    report.key("load_rows_per_s", rows[0]["rows/s"])
    report.key("load_scanned_vs_merge", scanned[0]["share"])
    report.save()


def _load(recording: _Recording, name: str, window: tuple[str, str], records: list[Any]) -> dict[str, Any]:
    pipeline = Pipeline("stripe", "invoices")
    manifest = pipeline.flatten(_land(pipeline, name, window, records))
    begun = time.perf_counter()
    staged = stage(
        warehouse=recording,
        contract=pipeline.contract,
        manifest=manifest,
        bucket=bucket(),
        personal=lambda: Personal(pipeline.contract),
        stage_id=name,
        labels=_LABELS,
    )
    middle = time.perf_counter()
    replacing.replace(
        warehouse=recording,
        bucket=bucket(),
        contract=pipeline.contract,
        staged=[(staged, manifest)],
        load_id=name,
        attempt=1,
        dag_id="benchmark",
        run_id=name,
        labels=_LABELS,
    )
    end = time.perf_counter()
    rows = sum(table.rows for table in manifest.tables.values())
    return {
        "rows": rows,
        "stage s": round(middle - begun, 2),
        "replace s": round(end - middle, 2),
        "rows/s": round(rows / (end - begun)),
    }


def _land(pipeline: Pipeline, name: str, window: tuple[str, str], records: list[Any]) -> LandingManifest:
    item = WorkItem(
        source="stripe",
        stream="invoices",
        client_id=pipeline.client.client_id,
        axis=Axis.CREATED,
        axis_reason="benchmark",
        window_start=window[0],
        window_end=window[1],
    )
    folder = landing_folder(item, name)
    writer, now = LineWriter(bucket(), f"{folder}/pages"), datetime.now(UTC)
    for start in range(0, len(records), 100):
        body = compact(json.dumps({"data": records[start : start + 100]}).encode())
        writer.write(msgspec.json.encode(Page(observed_at=now, body=body, items="data")))
    part = writer.close()
    assert part
    return LandingManifest(
        extraction_id=name,
        folder=folder,
        item=item,
        axis=item.axis,
        axis_reason="benchmark",
        observed_from=now,
        observed_to=now,
        api_version="benchmark",
        contract_version=pipeline.contract.version,
        records=len(records),
        children=0,
        gone=0,
        parts=[part],
        requests={},
    )


def _scanned(recording: _Recording, table: str, script: str) -> dict[str, Any]:
    """Count the rows in the partitions (months) that the script names, and in the whole table, which a MERGE on the key
    reads."""
    first, last = min(b[0] for b in _BOUNDS.findall(script)), max(b[1] for b in _BOUNDS.findall(script))
    [found] = recording.query(
        f"select count(*) as n, countif(_record_date between date_trunc(date '{first}', month) "  # noqa: S608
        f"and last_day(date '{last}', month)) as touched from raw.{table}",
        _LABELS,
    )
    return {
        "": table,
        "bounds": f"{first} to {last}",
        "replace": found["touched"],
        "MERGE on the key": found["n"],
        "share": round(found["touched"] / found["n"], 4),
    }
