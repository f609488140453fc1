"""Singer's way, with the Singer SDK's own functions: flatten each record by its schema, write a RECORD message, read
it again as a target does, write the row. Without the target's validation, which would take most of the time."""

import gzip
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import orjson
from singer_sdk.helpers._flattening import flatten_record, flatten_schema
from singer_sdk.singerlib import RecordMessage, format_message
from singer_sdk.singerlib.json import deserialize_json

from benchmarks.peers.clock import clocked
from benchmarks.peers.pages import bodies

Json = dict[str, Any]
LEVELS = 6


def run(url: str, out: Path) -> dict[str, int]:
    """Read all invoices of the server into one file per stream."""
    out.mkdir(parents=True)
    counts = {"invoices": 0, "invoice_lines": 0}
    schemas: dict[str, Json] = {}
    with (
        gzip.open(out / "invoices.jsonl.gz", "wb", compresslevel=1) as invoices,
        gzip.open(out / "invoice_lines.jsonl.gz", "wb", compresslevel=1) as lines,
    ):
        files = {"invoices": invoices, "invoice_lines": lines}

        def write(stream: str, record: Json) -> None:
            flat = flatten_record(record, schemas[stream], LEVELS)
            message = format_message(RecordMessage(stream, flat))
            row = deserialize_json(message)["record"]
            files[stream].write(orjson.dumps(row) + b"\n")
            counts[stream] += 1

        for body in bodies(url):
            records = orjson.loads(body)["data"]
            if not schemas:
                # A tap knows its schema; here it is what the first page shows.
                schemas["invoices"] = flatten_schema(_schema([_without(record) for record in records]), LEVELS)
                schemas["invoice_lines"] = flatten_schema(
                    _schema([line for record in records for line in record["lines"]["data"]]), LEVELS
                )
            for record in records:
                write("invoices", _without(record))
                for line in record["lines"]["data"]:
                    write("invoice_lines", line)
    return counts


def _without(record: Json) -> Json:
    return {name: value for name, value in record.items() if name != "lines"}


def _schema(values: list[Any]) -> Json:
    """A JSON schema that takes all these values."""
    objects = [value for value in values if isinstance(value, dict)]
    if not objects:
        return {"type": ["array", "string", "integer", "number", "boolean", "null"]}
    names = dict.fromkeys(name for value in objects for name in value)
    properties = {name: _schema([value.get(name) for value in objects]) for name in names}
    return {"type": ["object", "null"], "properties": properties}


if __name__ == "__main__":
    clocked(lambda: run(sys.argv[1], Path(sys.argv[2])))
