"""The DuckDB engine underneath: its extension, and the helper macros that the rewritten SQL calls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MACROS = (
    # DATE_TRUNC of a DATE stays a DATE. DuckDB's own function makes a TIMESTAMP (BigQuery: DATETIME) of it.
    """create or replace temp macro tb_trunc(part, x DATE) as cast(date_trunc(part, x) as date),
         (part, x TIMESTAMP) as date_trunc(part, x), (part, x TIMESTAMPTZ) as date_trunc(part, x)""",
    # Start of the week; `shift` is the number of days from Monday to the week's first day (Sunday: -1).
    """create or replace temp macro tb_week(shift, x DATE) as
           cast(cast(date_trunc('week', x - cast(shift as integer)) as date) + cast(shift as integer) as date),
         (shift, x TIMESTAMP) as
           date_trunc('week', x - to_days(cast(shift as integer))) + to_days(cast(shift as integer)),
         (shift, x TIMESTAMPTZ) as
           date_trunc('week', x - to_days(cast(shift as integer))) + to_days(cast(shift as integer))""",
    """create or replace temp macro tb_week_untyped(shift, x) as
         date_trunc('week', x - to_days(cast(shift as integer))) + to_days(cast(shift as integer))""",
    # Whole weeks between two dates, counted by the week starts that lie between them, as BigQuery does.
    """create or replace temp macro tb_week_diff(shift, a, b) as
         date_diff('day', tb_week(shift, cast(b as date)), tb_week(shift, cast(a as date))) // 7""",
    # Full units of so many microseconds between two timestamps. DuckDB's date_diff counts boundaries crossed.
    """create or replace temp macro tb_timestamp_diff(a, b, microseconds) as
         date_diff('microsecond', cast(b as timestamptz), cast(a as timestamptz)) // microseconds""",
)


def apply() -> None:
    """Mend how the engine starts and executes."""
    from bqemulator.storage import engine, type_map

    _load_spatial_from_the_wheel(engine.DuckDBEngine)
    _define_macros_at_start(engine.DuckDBEngine)
    _retry_ambiguous_overloads_untyped(engine.DuckDBEngine)
    # Stock maps BIGNUMERIC to DECIMAL(76, 38), which DuckDB doesn't have: tables.insert answers 500.
    type_map._BQ_TO_DUCKDB["BIGNUMERIC"] = "DECIMAL(38, 15)"


def _load_spatial_from_the_wheel(engine: Any) -> None:
    """Load DuckDB's spatial extension from its PyPI wheel.

    Stock installs it from DuckDB's server into the home directory; this needs neither network nor home directory.
    """

    def load_spatial(self: Any) -> None:
        import duckdb
        import duckdb_extension_spatial  # type: ignore[import-not-found]

        folder = Path(duckdb_extension_spatial.__file__).parent / "extensions" / f"v{duckdb.__version__}"
        self.connection.execute(f"LOAD '{folder / 'spatial.duckdb_extension'}'")

    engine._load_spatial = load_spatial


def _define_macros_at_start(engine: Any) -> None:
    start = engine.start

    async def start_with_macros(self: Any) -> None:
        await start(self)
        for macro in MACROS:
            self.connection.execute(macro)

    engine.start = start_with_macros


def _retry_ambiguous_overloads_untyped(engine: Any) -> None:
    """Inside a correlated UNNEST DuckDB can't choose an overload of our macros: fall back to the stock functions."""
    execute = engine.execute

    def execute_or_retry(self: Any, sql: str, parameters: list[Any] | None = None) -> Any:
        try:
            return execute(self, sql, parameters)
        except Exception as problem:
            if "overloads that match" not in str(problem) or "tb_" not in str(problem):
                raise
            return execute(self, _untyped(sql), parameters)

    engine.execute = execute_or_retry


def _untyped(sql: str) -> str:
    sql = re.sub(r"\btb_trunc\(", "date_trunc(", sql, flags=re.IGNORECASE)
    return re.sub(r"\btb_week\(", "tb_week_untyped(", sql, flags=re.IGNORECASE)
