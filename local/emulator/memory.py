"""Remembers on disk what statements became and that they passed, for all emulators of a clone.

One SQLite file per version of everything that the contents depend on: this folder's code and the packages it uses. The
folder is `TRIBUTARY_LOCAL_MEMORY`; without it, only this process remembers.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sqlite3
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from threading import Lock

from local.emulator import templates

FOLDER = "TRIBUTARY_LOCAL_MEMORY"
PACKAGES = ("bqemulator", "duckdb", "sqlglot", "wasmtime", "zetasql")


class Memory:
    """A dictionary of texts. Other processes' entries are seen as soon as they are written."""

    def __init__(self, file: Path | None) -> None:
        self._known: dict[str, str] = {}
        #: The analyzer has a thread of its own.
        self._lock = Lock()
        self._database: sqlite3.Connection | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)
            # Losing the last entries costs time only, so nothing waits for the disk.
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = off")
            self._database.execute("create table if not exists memory (key text primary key, value text) without rowid")

    def get(self, key: str) -> str | None:
        """Return what is known under a key, or None."""
        found = self._known.get(key)
        if found is None and self._database is not None:
            with self._lock:
                row = self._database.execute("select value from memory where key = ?", [key]).fetchone()
            if row is not None:
                found = self._known[key] = row[0]
        return found

    def keep(self, key: str, value: str) -> None:
        """Remember a value in this process only."""
        self._known[key] = value

    def put(self, key: str, value: str) -> None:
        """Remember a value, in place of what was known under the key."""
        self.keep(key, value)
        if self._database is not None:
            with self._lock:
                self._database.execute("insert or replace into memory values (?, ?)", [key, value])


@cache
def memory() -> Memory:
    """Open the memory of this process's environment."""
    folder = os.environ.get(FOLDER)
    return Memory(Path(folder) / f"{_version()}.sqlite" if folder else None)


class Shape:
    """A fact about a statement that holds whatever its literals are."""

    def __init__(self, kind: str, sql: str, *parts: str) -> None:
        self._exact = key(kind, sql, *parts)
        self._general = partial(_shape_key, kind, sql, *parts)

    def recall(self) -> str | None:
        """Return what is known of a statement of this shape, or None."""
        known = memory()
        found = known.get(self._exact)
        if found is None and (found := known.get(self._general())) is not None:
            known.keep(self._exact, found)
        return found

    def learn(self, value: str) -> None:
        """Remember the fact for all statements of this shape."""
        memory().put(self._general(), value)
        memory().keep(self._exact, value)


def by_shape(kind: str, sql: str, *parts: str, compute: Callable[[], str]) -> str:
    """Return what holds for a statement whatever its literals are, computed for the first one of its shape."""
    shape = Shape(kind, sql, *parts)
    found = shape.recall()
    if found is None:
        found = compute()
        shape.learn(found)
    return found


def _shape_key(kind: str, sql: str, *parts: str) -> str:
    return key(kind, templates.shape(sql), *parts)


def key(*parts: str) -> str:
    """Return the key of something that depends on these texts and nothing else."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(f"{len(part)}:".encode())
        digest.update(part.encode())
    return digest.hexdigest()


def _version() -> str:
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    versions = [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
    return key(*versions, *(source.read_text() for source in sources))
