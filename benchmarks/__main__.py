"""Runs the suites: `python -m benchmarks [suite ...] [--short]`."""

import argparse
import logging
import sys
import time
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins"))

from benchmarks.report import Report, console  # noqa: E402

SUITES = ("extract", "memory", "parse", "budget", "load", "tasks", "dbt", "demo")


def main() -> None:
    """Run the suites that were asked for, all without."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES], help="all without")
    parser.add_argument("--short", action="store_true", help="a tenth of the size, for a quick look")
    parser.add_argument("--out", type=Path, default=ROOT / ".local/bench.json")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    report = Report(arguments.out)
    for name in arguments.suites or SUITES:
        begun = time.perf_counter()
        import_module(f"benchmarks.suites.{name}").run(report, arguments.short)
        console.print(f"{name}: {time.perf_counter() - begun:.0f} s\n")
    console.print(f"Written to {arguments.out}")


if __name__ == "__main__":
    main()
