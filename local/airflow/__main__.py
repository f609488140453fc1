"""Run Airflow's four components from one warmed-up parent process.

Importing Airflow costs a process seconds of processor time, and in every task so do the Google client libraries and
dbt. Here the parent imports them once and forks scheduler, DAG processor, triggerer and API server; the
LocalExecutor's workers, forked by the scheduler, and the tasks, forked by the workers, inherit all of it. Nothing else
about them differs: each child runs the ordinary `airflow <component>` command. The tributary package itself is not
imported beforehand, so that an edited operator takes effect with the next task.

The parent ends when one of its children does, and takes the others with it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from local.airflow import metadata, patches, preload

STOP_SECONDS = 20.0


class _Stop(Exception):
    """Somebody asked the parent to end."""


def main() -> int:
    """Prepare the metadata database, start the components, wait. Returns the exit status.

    Arguments: the file that lists the pools, and dbt's target folder.
    """
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    children: dict[int, str] = {}
    try:
        preload.core()
        metadata.prepare(Path(sys.argv[1]))
        children[_fork("api-server")] = "api-server"
        preload.tasks()
        preload.dbt_codecs(Path(sys.argv[2]))
        patches.apply()
        for component in ("dag-processor", "scheduler", "triggerer"):
            children[_fork(component, *(["--skip-serve-logs"] if component != "dag-processor" else []))] = component
        pid, status = os.wait()
        print(f"{children.pop(pid, 'a process')} ended with status {os.waitstatus_to_exitcode(status)}", flush=True)
        return 1
    except _Stop:
        return 0
    finally:
        _end(children)


def _fork(component: str, *arguments: str) -> int:
    """Run `airflow <component>` in a child; returns the child's process id."""
    # What exists now is shared for good: the collector need not touch, and so copy, its pages in the children.
    gc.freeze()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["airflow", component, *arguments]
        from airflow.__main__ import main as airflow

        airflow()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the child must never return into the parent's code
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end(children: dict[int, str]) -> None:
    """SIGTERM to all children, SIGKILL to those that are still there after a while."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid:
            children.pop(pid, None)
        elif time.monotonic() > deadline:
            for left in children:
                os.kill(left, signal.SIGKILL)
            deadline = float("inf")
        else:
            time.sleep(0.05)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


if __name__ == "__main__":
    sys.exit(main())
