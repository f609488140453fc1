"""`python -m local.emulator start …`: bqemulator's own command line, with the fixes applied first."""

from __future__ import annotations

import importlib.metadata
import sys

from local.emulator import (
    alter,
    copies,
    engine,
    jobs,
    loads,
    parsing,
    rest,
    rewriting,
    routines,
    scripts,
    threads,
    transactions,
    translations,
    views,
)
from local.emulator.googlesql import judge

VERSION = "1.4.0"
"""The fixes reach into internals: another version needs each of them looked at again."""


def main() -> None:
    """Apply all fixes, then hand over to bqemulator's command line."""
    found = importlib.metadata.version("bqemulator")
    if found != VERSION:
        raise SystemExit(f"These fixes are for bqemulator {VERSION}, installed is {found}.")
    for module in (
        engine,
        threads,
        parsing,
        views,
        rewriting,
        routines,
        scripts,
        transactions,
        alter,
        loads,
        copies,
        jobs,
        translations,
        judge,
        rest,
    ):
        module.apply()

    from bqemulator.cli import main as bqemulator

    sys.argv[0] = "bqemulator"
    bqemulator()


if __name__ == "__main__":
    main()
