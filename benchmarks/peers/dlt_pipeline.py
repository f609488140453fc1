"""dlt: its rest client, normaliser and filesystem destination, in an environment of its own.

Everything is as dlt does it by default: nested objects become columns, nested lists tables of their own.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
from dlt.destinations import filesystem
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from benchmarks.peers.clock import clocked


class StartingAfter(BasePaginator):
    """Stripe's paging."""

    def update_state(self, response: Any, data: list[Any] | None = None) -> None:
        self._after = data[-1]["id"] if data else None
        self._has_next_page = bool(response.json()["has_more"])

    def update_request(self, request: Any) -> None:
        request.params = {**(request.params or {}), "starting_after": self._after}


def run(url: str, out: Path) -> dict[str, int]:
    """Read all invoices of the server into `out`; the rows per table."""

    def invoices() -> Iterator[Any]:
        client = RESTClient(base_url=url, paginator=StartingAfter(), data_selector="data")
        yield from client.paginate("/v1/invoices", params={"limit": 100})

    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(out / "pipelines"),
        destination=filesystem(bucket_url=(out / "lake").as_uri()),
        dataset_name="bench",
    )
    pipeline.run(dlt.resource(invoices, name="invoices"), loader_file_format="jsonl")
    counts = pipeline.last_trace.last_normalize_info.row_counts
    return {name: count for name, count in counts.items() if not name.startswith("_dlt")}


if __name__ == "__main__":
    clocked(lambda: run(sys.argv[1], Path(sys.argv[2])))
