"""Reports time and memory of a contender. Needs nothing but the standard library: peers have environments of their
own."""

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path


def clocked(work: Callable[[], dict[str, int]]) -> None:
    """Do the work and print seconds (wall and CPU), peak memory in MiB, and rows per table. Imports don't count."""
    begun, cpu = time.perf_counter(), time.process_time()
    rows = work()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    peak = _peak()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mib": peak, "rows": rows}))


def _peak() -> float:
    """Peak memory in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike ru_maxrss it doesn't begin with the memory of the process that started this one.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
