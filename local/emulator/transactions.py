"""Transactions of scripts as transactions of DuckDB: atomic even when the process is killed in the middle."""

from __future__ import annotations

import re
from typing import Any

_HANDLER = re.compile(r"\bexception\s+when\b", re.IGNORECASE)
_ENDS = {"_drop_txn_snapshots": "COMMIT", "_restore_txn_snapshots": "ROLLBACK"}


def apply() -> None:
    """Stock copies each table before its first change and copies it back on rollback: a kill leaves half of a script.

    Scripts with an exception handler keep that: what was changed before a caught error stays, which DuckDB can't do.
    """
    from bqemulator.scripting.interpreter import ScriptInterpreter

    _tell_scripts_apart(ScriptInterpreter)
    _begin(ScriptInterpreter)
    for name, statement in _ENDS.items():
        _end(ScriptInterpreter, name, statement)


def _tell_scripts_apart(interpreter: Any) -> None:
    run, snapshot = interpreter.run, interpreter._snapshot_dml_targets

    async def run_native(self: Any, source: str) -> Any:
        self._native = not _HANDLER.search(source)
        return await run(self, source)

    async def snapshot_unless_native(self: Any, sql: str) -> None:
        if not self._native:
            await snapshot(self, sql)

    interpreter.run = run_native
    interpreter._snapshot_dml_targets = snapshot_unless_native


def _begin(interpreter: Any) -> None:
    handle = interpreter._handle_txn_statement

    async def begin(self: Any, operation: str) -> None:
        if not self._native or operation != "BEGIN" or self._active_txn is not None:
            await handle(self, operation)
            return
        self._ctx.engine.execute("BEGIN TRANSACTION")
        self._active_txn = {}

    interpreter._handle_txn_statement = begin


def _end(interpreter: Any, name: str, statement: str) -> None:
    stock = getattr(interpreter, name)

    async def end(self: Any) -> None:
        if not self._native:
            await stock(self)
        elif self._active_txn is not None:
            self._active_txn = None
            self._ctx.engine.execute(statement)

    setattr(interpreter, name, end)
