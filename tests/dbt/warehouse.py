"""An emulator of BigQuery for the dbt tests, with raw tables as the contracts lay them out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from local.settings import LocalSettings, on_free_ports
from local.stack import start_stack
from tributary.contracts.loader import load_all
from tributary.contracts.model import TableSpec
from tributary.warehouse.schema import history_schema, raw_schema

Row = dict[str, Any]
DATASETS = ("raw", "raw_history", "staging", "mart", "dq")
SYSTEM_DEFAULTS: Row = {
    "client_id": "acme",
    "_record_date": "2025-01-01",
    "_observed_at": "2026-01-05T06:00:00Z",
    "_extracted_at": "2026-01-05T06:00:00Z",
    "_valid_from": "2026-01-05T06:00:00Z",
    "_run_id": "test",
    "_row_hash": "x",
    "_contract_version": 1,
}


@contextmanager
def emulator(home: Path) -> Iterator[LocalSettings]:
    """A BigQuery emulator of its own on free ports, with its state in `home`; ends with the block."""
    settings = on_free_ports(home)
    with start_stack(("bigquery",), base_dir=home, settings=settings):
        yield settings


def tables() -> dict[str, TableSpec]:
    """Every raw table by name."""
    return {
        table.name: table
        for streams in load_all().values()
        for contract in streams.values()
        for table in contract.tables
    }


class Warehouse:
    """The emulator seen through Google's client."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self._client = bigquery.Client(
            project=settings.project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": settings.bigquery_url},
        )

    def create(self) -> None:
        """Datasets, and every raw table and its history, empty."""
        for name in DATASETS:
            self._client.create_dataset(name, exists_ok=True, retry=None)
        for name, spec in tables().items():
            for dataset, fields in (("raw", raw_schema(spec)), ("raw_history", history_schema(spec))):
                schema = [bigquery.SchemaField.from_api_repr(field) for field in fields]
                table = bigquery.Table(f"{self.settings.project}.{dataset}.{name}", schema=schema)
                self._client.create_table(table, exists_ok=True, retry=None)

    def load(self, rows: Mapping[str, Sequence[Row]], history: Mapping[str, Sequence[Row]] | None = None) -> None:
        """Replace the rows of all raw tables and of their histories: table -> rows.

        What a row leaves out is null or a plain default.
        """
        for name, spec in tables().items():
            self._fill(f"raw.{name}", {field["name"] for field in raw_schema(spec)}, rows.get(name, ()))
            known = {field["name"] for field in history_schema(spec)}
            self._fill(f"raw_history.{name}", known, (history or {}).get(name, ()))

    def covered(self, *loads: tuple[str, str, datetime, datetime]) -> None:
        """Replace the ledger by loads: table, client, end of the window, and when that was observed (and loaded)."""
        self.query("create schema if not exists ops")
        self.query(
            "create or replace table ops.ledger (kind string, table_name string, client_id string, "
            "window_end timestamp, observed_from timestamp, loaded_at timestamp)"
        )
        rows = (
            f"('load', '{table}', '{client}', {_literal(end)}, {_literal(observed)}, {_literal(observed)})"
            for table, client, end, observed in loads
        )
        self.query(f"insert into ops.ledger values {', '.join(rows)}")

    def _fill(self, table: str, known: set[str], rows: Sequence[Row]) -> None:
        for row in rows:
            assert row.keys() <= known, f"{table}: {sorted(row.keys() - known)} is in no contract"
        self.query(f"delete from {table} where true")
        if rows:
            lines = "\n".join(json.dumps({**SYSTEM_DEFAULTS, **row}) for row in rows)
            self._client.load_table_from_file(
                io.BytesIO(lines.encode()),
                f"{self.settings.project}.{table}",
                size=None,  # a resumable upload, the kind that the emulator takes
                job_config=bigquery.LoadJobConfig(
                    source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_APPEND"
                ),
            ).result()

    def query(self, sql: str) -> list[Row]:
        """The rows of a statement."""
        return [dict(row) for row in self._client.query(sql, retry=None, job_retry=None).result(retry=None)]

    def jobs(self, since: datetime, until: datetime) -> list[str]:
        """The SQL of every job that was created in a period."""
        jobs = self._client.list_jobs(max_results=100_000, retry=None)
        return [job.query for job in jobs if since <= job.created <= until]

    def tables(self, dataset: str) -> set[str]:
        """Names of the tables and views of a dataset."""
        return {table.table_id for table in self._client.list_tables(dataset, max_results=10_000, retry=None)}


def _literal(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat()}'"
