"""Multi-statement scripts: SET and exception handlers."""

from __future__ import annotations

import re
from typing import Any

_AS_STRUCT = re.compile(r"select\s+as\s+struct", re.IGNORECASE)


def apply() -> None:
    """Replace the interpreter's handling of SET and of BEGIN … EXCEPTION … END."""
    from bqemulator.domain.errors import DomainError, InvalidQueryError
    from bqemulator.scripting import interpreter

    async def set_variables(self: Any, statement: Any) -> None:
        """SET (a, b) = (SELECT AS STRUCT …), as dbt's dynamic insert_overwrite has it: stock assigns the struct."""
        names = statement.targets
        if len(names) == 1:
            value = await self._eval_expr_scalar(statement.source_expr)
            values = [_unwrapped(value, statement.source_expr)]
        else:
            values = await self._eval_expr_row(statement.source_expr)
            if len(values) == 1 and isinstance(values[0], dict):
                values = list(values[0].values())
        if len(values) != len(names):
            raise InvalidQueryError(f"SET column count {len(names)} != {len(values)}")
        for name, value in zip(names, values, strict=True):
            self._frames.set(name, value)

    begin = interpreter.ScriptInterpreter._exec_begin

    async def run_block(self: Any, statement: Any) -> None:
        """ROLLBACK in an exception handler undoes the transaction. Stock forgets the backups before the handler."""
        if statement.exception_handler is None:
            await begin(self, statement)
            return
        try:
            await self._run_block(statement.body, frame_kind="block")
        except (interpreter.ScriptRaise, DomainError) as problem:
            self._frames.push(kind="block")
            self._frames.declare("__error_message__", "STRING", problem.message)
            try:
                for handler in statement.exception_handler:
                    await self._exec_statement(handler)
            finally:
                self._frames.pop()

    interpreter.ScriptInterpreter._exec_set = set_variables
    interpreter.ScriptInterpreter._exec_begin = run_block


def _unwrapped(value: Any, expression: str) -> Any:
    if isinstance(value, dict) and len(value) == 1 and _AS_STRUCT.search(expression):
        return next(iter(value.values()))
    return value
