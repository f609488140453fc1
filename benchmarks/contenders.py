"""Starts the page server and the contenders, each in a process of its own, and compares what they wrote."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.invoices import LINES
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Column, ColumnType

ROOT = Path(__file__).resolve().parents[1]
PEERS_PYTHON = ROOT / ".local/benchmarks/bin/python"
_PEERS = ROOT / "benchmarks/peers"
#: Name -> interpreter and script.
CONTENDERS: dict[str, tuple[Path, Path]] = {
    "tributary": (Path(sys.executable), _PEERS / "project.py"),
    "limit": (Path(sys.executable), _PEERS / "limit.py"),
    "naive": (PEERS_PYTHON, _PEERS / "naive.py"),
    "singer": (PEERS_PYTHON, _PEERS / "singer.py"),
    "dlt": (PEERS_PYTHON, _PEERS / "dlt_pipeline.py"),
}
_ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}


@contextmanager
def page_server(large: int = 0, lines: int = LINES) -> Iterator[str]:
    """The URL of a server of invoices with so many lines; with `large`, of a single one of so many megabytes."""
    command = [sys.executable, "-m", "benchmarks.server", "--large", str(large), "--lines", str(lines)]
    with subprocess.Popen(command, cwd=ROOT, env=_ENVIRONMENT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def contend(name: str, url: str, invoices: int) -> Iterator[tuple[dict[str, Any], Path]]:
    """Let one contender read so many invoices; what it reports, and the folder that it wrote, which goes afterwards."""
    python, script = CONTENDERS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"tributary-bench-{name}-"))
    try:
        command = [str(python), str(script), f"{url}/{invoices}", str(folder / "out")]
        done = subprocess.run(command, cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
        yield json.loads(done.stdout.splitlines()[-1]), folder / "out"
    finally:
        shutil.rmtree(folder)


Rows = dict[tuple[str, str], dict[str, Any]]
"""(table, id) -> the columns that every contender has: the contract's, but for lists and objects kept as JSON."""


def rows_of(name: str, out: Path) -> Rows:
    """Return the rows that a contender wrote, in the form of the contract."""
    if name in ("tributary", "naive"):
        return _own(out)
    return _flattened(out, *_FILES[name])


_FILES = {
    "dlt": ("lake/bench/invoices/*.jsonl.gz", "lake/bench/invoices__lines__data/*.jsonl.gz"),
    "singer": ("invoices.jsonl.gz", "invoice_lines.jsonl.gz"),
}


def _tables() -> list[tuple[str, tuple[Column, ...]]]:
    contract = load_contracts("stripe")["invoices"]
    tables = [("invoices", contract.columns), ("invoice_lines", contract.children[0].columns)]
    return [(name, tuple(c for c in columns if c.type != ColumnType.JSON)) for name, columns in tables]


def _lines(out: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for file in sorted(out.glob(pattern)):
        with gzip.open(file) as lines:
            yield from map(json.loads, lines)


def _own(out: Path) -> Rows:
    rows: Rows = {}
    for table, columns in _tables():
        for row in _lines(out, f"**/stripe_{table}[-.]*ndjson.gz"):
            rows[table, row["id"]] = {column.name: row.get(column.name) for column in columns}
    return rows


def _flattened(out: Path, *patterns: str) -> Rows:
    """Tables whose columns are called after their paths, parts joined by two underscores."""
    rows: Rows = {}
    for (table, columns), pattern in zip(_tables(), patterns, strict=True):
        for row in _lines(out, pattern):
            rows[table, row["id"]] = {column.name: _value(column, row) for column in columns}
    return rows


def _value(column: Column, row: dict[str, Any]) -> Any:
    found = (row.get(path.replace(".", "__")) for path in column.path)
    value = next((value for value in found if value is not None), None)
    if value is not None and column.type == ColumnType.TIMESTAMP:
        moment: Callable[[Any], str] = lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()  # noqa: E731
        return moment(value).replace("+00:00", "Z")
    return value


def differences(expected: Rows, found: Rows) -> list[str]:
    """Return the differences, as `table id column`; at most ten."""
    keys = [f"{table} {id_}" for table, id_ in sorted(expected.keys() ^ found.keys())]
    cells = [
        f"{table} {id_} {column}: {value!r}, {found[table, id_][column]!r}"
        for (table, id_), row in expected.items()
        if (table, id_) in found
        for column, value in row.items()
        if value != found[table, id_][column]
    ]
    return (keys + cells)[:10]
