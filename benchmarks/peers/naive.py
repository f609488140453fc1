"""A flatten as one would write it in an afternoon: orjson into dicts, column by column, a dict per row, gzip."""

import gzip
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from benchmarks.peers.clock import clocked
from benchmarks.peers.pages import bodies

CONTRACT = Path(__file__).parents[2] / "include/contracts/stripe/invoices.yml"
Json = dict[str, Any]


def at(record: Any, path: list[str]) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def row(record: Json, columns: list[tuple[str, str, list[list[str]]]]) -> Json:
    out: Json = {}
    for name, type_, paths in columns:
        value = None
        for path in paths:
            value = at(record, path)
            if value is not None:
                break
        if value is not None and type_ == "TIMESTAMP":
            value = datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        elif isinstance(value, dict) and type_ == "STRING":
            value = value["id"]
        out[name] = value
    return out


def columns_of(spec: Json) -> list[tuple[str, str, list[list[str]]]]:
    found = []
    for column in spec["columns"]:
        paths = column.get("path", column["name"])
        paths = [paths] if isinstance(paths, str) else paths
        found.append((column["name"], column["type"], [path.split(".") for path in paths]))
    return found


def run(url: str, out: Path) -> dict[str, int]:
    """Read all invoices of the server into one file per table."""
    contract = yaml.safe_load(CONTRACT.read_text())
    child = contract["children"][0]
    columns, line_columns = columns_of(contract), columns_of(child)
    out.mkdir(parents=True)
    counts = {"stripe_invoices": 0, "stripe_invoice_lines": 0}
    with (
        gzip.open(out / "stripe_invoices.ndjson.gz", "wb", compresslevel=1) as invoices,
        gzip.open(out / "stripe_invoice_lines.ndjson.gz", "wb", compresslevel=1) as lines,
    ):
        for body in bodies(url):
            for record in orjson.loads(body)["data"]:
                parent = row(record, columns)
                invoices.write(orjson.dumps(parent) + b"\n")
                counts["stripe_invoices"] += 1
                inherited = {name: parent[column] for name, column in child["inherit"].items()}
                for line in record["lines"]["data"]:
                    lines.write(orjson.dumps(inherited | row(line, line_columns)) + b"\n")
                    counts["stripe_invoice_lines"] += 1
    return counts


if __name__ == "__main__":
    clocked(lambda: run(sys.argv[1], Path(sys.argv[2])))
