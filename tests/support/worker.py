"""A worker in a process of its own that can be killed: `python -m tests.support.worker JOB`, JOB as JSON.

Runs the steps of one stream with fixed attempt names, as the retries of one task do, and prints the ledger's counts. At
`pause` it says so and stands still, in the middle of the step, until it is killed.
"""

import json
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from tests.support.pipeline import Pipeline
from tributary.hooks.warehouse import WarehouseHook
from tributary.landing import lake


def stand_still() -> NoReturn:
    print("paused", flush=True)
    threading.Event().wait()
    raise AssertionError("nobody wakes it")


def pause_after(call: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which after so many calls never returns."""
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = function(*args, **kwargs)
        calls += 1
        if calls >= call:
            stand_still()
        return result

    return counted


def send_and_stand_still(self: WarehouseHook, sql: str, labels: dict[str, str]) -> Any:
    """The load transaction is on its way when the worker dies."""
    if "begin transaction" not in sql:
        return query(self, sql, labels)
    threading.Thread(target=query, args=(self, sql, labels), daemon=True).start()
    stand_still()


query = WarehouseHook.query


def main() -> None:
    job = json.loads(sys.argv[1])
    # Every checkpoint ends a part, so that there is a middle.
    lake.PART_BYTES = lake.BLOCK_BYTES = 1
    steps = Pipeline("stripe", job["stream"])
    name, pause = job["name"], job["pause"]
    close = lake.LineWriter.close
    if pause == "extract":
        lake.LineWriter.close = pause_after(2, close)  # type: ignore[method-assign]
    landing = steps.extract(job["start"], job["end"], "created", name=name)
    if pause == "flatten":
        lake.LineWriter.close = pause_after(2, close)  # type: ignore[method-assign]
    manifest = steps.flatten(landing, name=name)
    if pause == "stage":
        WarehouseHook.load = pause_after(1, WarehouseHook.load)  # type: ignore[method-assign]
    staged = steps.stage(manifest, name=name)
    if pause == "replace":
        WarehouseHook.query = send_and_stand_still  # type: ignore[method-assign]
    print(json.dumps(steps.replace([(staged, manifest)], load_id=name), default=str), flush=True)


if __name__ == "__main__":
    main()
