"""This project: extract into landing, flatten into staged files."""

import sys
from datetime import date
from pathlib import Path

import requests

from benchmarks.directory import Directory
from benchmarks.peers.clock import clocked
from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis
from tributary.flatten.flatten import flatten
from tributary.landing.extract import extract
from tributary.landing.plan import WorkItem
from tributary.sources import source

#: Seconds between two requests, so few that the budget is no limit.
UNLIMITED = 0.001


def run(url: str, out: Path) -> dict[str, int]:
    """Read all invoices of the server into `out`; the rows per table."""
    stripe, contract, bucket = source("stripe"), load_contracts("stripe")["invoices"], Directory(out)
    client = Client(client_id="bench", connection="bench", account="acct_benchmark", since=date(2024, 7, 1))
    start, end = "2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z"
    item = WorkItem(
        source="stripe",
        stream="invoices",
        client_id="bench",
        axis=Axis.CREATED,
        axis_reason="benchmark",
        window_start=start,
        window_end=end,
    )
    with requests.Session() as session:
        api = ApiClient(session, url, "bench", {"default": UNLIMITED}, stripe.judge)
        landing = extract(
            source=stripe,
            api=api,
            livemode=None,
            contract=contract,
            client=client,
            item=item,
            extraction_id="bench",
            bucket=bucket,
        )
    staged = flatten(source=stripe, contract=contract, landing=landing, attempt_id="bench", bucket=bucket)
    return {name: table.rows for name, table in staged.tables.items()}


if __name__ == "__main__":
    clocked(lambda: run(sys.argv[1], Path(sys.argv[2])))
