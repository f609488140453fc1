"""Speed: the record of finished jobs is written in batches."""

from __future__ import annotations

from typing import Any

BATCH = 200
"""Jobs that a killed emulator may forget. Only their record: what they did is in the tables at once."""


def apply() -> None:
    """Write jobs many at a time and at the end. Stock writes a row and commits it for every state of every job."""
    from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository as Repository
    from bqemulator.scripting.interpreter import ScriptInterpreter
    from bqemulator.storage.engine import DuckDBEngine

    write, upsert = Repository._write_job, Repository.upsert_job
    run, stop = ScriptInterpreter.run, DuckDBEngine.stop
    waiting: dict[tuple[str, str], tuple[Any, Any]] = {}
    scripts = 0

    def write_all(engine: Any) -> None:
        engine.execute("BEGIN TRANSACTION")
        for repository, job in waiting.values():
            write(repository, job)
        engine.execute("COMMIT")
        waiting.clear()

    def remember(self: Any, job: Any) -> None:
        waiting[job.project_id, job.job_id] = self, job

    def upsert_and_write_some(self: Any, job: Any) -> Any:
        found = upsert(self, job)
        # A script's transaction is one of DuckDB, on the same connection.
        if len(waiting) >= BATCH and scripts == 0:
            write_all(self._engine)
        return found

    async def run_counted(self: Any, source: str) -> Any:
        nonlocal scripts
        scripts += 1
        try:
            return await run(self, source)
        finally:
            scripts -= 1

    async def write_and_stop(self: Any) -> None:
        if self._connection is not None and waiting:
            write_all(self)
        await stop(self)

    Repository._write_job = remember
    Repository.upsert_job = upsert_and_write_some
    ScriptInterpreter.run = run_counted
    DuckDBEngine.stop = write_and_stop
