"""Transactions of scripts as transactions of DuckDB: atomic even when the process is killed in the middle."""

from __future__ import annotations

import re
from typing import Any

_HANDLER = re.compile(r"\bexception\s+when\b", re.IGNORECASE)


def apply() -> None:
    """Stock copies each table before its first change and copies it back on rollback, so a kill leaves half of the script.

    Scripts with an exception handler keep that: what was changed before a caught error stays, which DuckDB can't do.
    """
    from bqemulator.scripting.interpreter import ScriptInterpreter

    stock = {name: getattr(ScriptInterpreter, name) for name in ("run", "_snapshot_dml_targets", *_ENDS)}

    async def run(self: Any, source: str) -> Any:
        self._native = not _HANDLER.search(source)
        return await stock["run"](self, source)

    async def control(self: Any, operation: str) -> None:
        if self._native and operation == "BEGIN" and self._active_txn is None:
            self._ctx.engine.execute("BEGIN TRANSACTION")
            self._active_txn = {}
            return
        await handle(self, operation)

    async def snapshot(self: Any, sql: str) -> None:
        if not self._native:
            await stock["_snapshot_dml_targets"](self, sql)

    def ending(name: str, statement: str) -> Any:
        async def end(self: Any) -> None:
            if not self._native:
                await stock[name](self)
            elif self._active_txn is not None:
                self._active_txn = None
                self._ctx.engine.execute(statement)

        return end

    handle = ScriptInterpreter._handle_txn_statement
    ScriptInterpreter.run = run
    ScriptInterpreter._handle_txn_statement = control
    ScriptInterpreter._snapshot_dml_targets = snapshot
    for name, statement in _ENDS.items():
        setattr(ScriptInterpreter, name, ending(name, statement))


_ENDS = {"_drop_txn_snapshots": "COMMIT", "_restore_txn_snapshots": "ROLLBACK"}
