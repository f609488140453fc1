"""Backfills through Airflow's REST API: days by a run each, months and years by one run that is cut into chunks.

Works with any Airflow, not only the local one. Running it again is safe: what succeeded is left alone, what runs is
watched, what failed runs again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.demo.airflow_api import AirflowApi
from local.errors import LocalStackError

#: Up to so many days each gets a run of its own; beyond, one run reads the whole range.
LONG = 31
#: Length of a chunk; of a range of many years longer, since a run takes at most 60 chunks of a client.
CHUNK_DAYS, CHUNKS = 30, 50
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Range:
    """A range of full days in UTC to load, both ends included."""

    dag_id: str
    first: date
    last: date
    chunk_days: int | None = None
    backwards: bool = False
    streams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise LocalStackError(f"FROM={self.first} is later than TO={self.last}.")
        if self.last >= datetime.now(UTC).date():
            raise LocalStackError(f"TO={self.last} is not over yet. Choose a day before today (UTC).")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def in_one_run(self) -> bool:
        return self.chunk_days is not None or self.days > LONG

    @property
    def chunk(self) -> int:
        """Days of a chunk: as asked, else about a month, or more where that would be too many."""
        return self.chunk_days or max(CHUNK_DAYS, -(-self.days // CHUNKS))

    @property
    def conf(self) -> dict[str, Any]:
        return {"streams": list(self.streams)} if self.streams else {}


class Backfill:
    """Runs a range and shows how far it is."""

    def __init__(self, api: AirflowApi, range_: Range, console: Console) -> None:
        self._api, self._range, self._console = api, range_, console

    def run(self) -> bool:
        """Start or rejoin the backfill and wait for it; whether all of it succeeded."""
        self._api.unpause(self._range.dag_id)
        return self._ranged() if self._range.in_one_run else self._daily()

    def _ranged(self) -> bool:
        wanted = self._range
        chunk, dag_id = wanted.chunk, wanted.dag_id
        parts = (str(wanted.first), str(wanted.last), f"by{chunk}", *sorted(wanted.streams))
        run_id = "__".join(("range", *parts))
        state = self._api.run_state(dag_id, run_id)
        self._say(f"{wanted.days} days in one run of chunks of {chunk} days: {run_id}, {state or 'new'}")
        if state == "failed":
            self._api.clear_failed(dag_id, run_id)
        elif state is None:
            window = {"window_start": str(wanted.first), "window_end": str(wanted.last + timedelta(days=1))}
            choice = {"axis": "created", "chunk_days": chunk, "newest_first": wanted.backwards}
            self._api.trigger(dag_id, run_id, logical_date=None, conf=window | choice | wanted.conf)
        return watch(self._api, dag_id, run_id, self._console)

    def _daily(self) -> bool:
        wanted = self._range
        missing = self._api.backfill_dates(**self._body())
        self._say(f"{wanted.days} days by a run each, {len(missing)} of them to run")
        if missing:
            missing = self._begin()
        with _progress(self._console) as progress:
            bar = progress.add_task("days", total=wanted.days)
            while True:
                states = self._api.states_by_day(wanted.dag_id, wanted.first, wanted.last)
                ended = [day for day, state in states.items() if state in ("success", "failed")]
                progress.update(bar, completed=len(ended))
                if len(ended) >= wanted.days or not (missing or len(ended) < len(states)):
                    break
                time.sleep(_POLL_SECONDS)
        if failed := sorted(str(day) for day, state in states.items() if state == "failed"):
            self._say(f"failed: {', '.join(failed)}. Mend what their logs say and give the same command again.")
        return not failed and len(ended) == wanted.days

    def _begin(self) -> list[str]:
        """Create the backfill, or rejoin it; another one of the DAG is waited for, since Airflow runs one at a time.
        Returns the dates that it runs."""
        body, waited_for = self._body(), None
        while True:
            other = self._api.active_backfill(self._range.dag_id)
            missing = self._api.backfill_dates(**body)
            if other is None and (not missing or self._api.create_backfill(**body)):
                return missing
            if other and _is_same(other, body):
                return missing
            if other and other["id"] != waited_for:
                waited_for = other["id"]
                self._say(f"waiting for {_named(other)}; this one goes on by itself when that has ended")
            time.sleep(_POLL_SECONDS)

    def _body(self) -> dict[str, Any]:
        wanted = self._range
        return {
            "dag_id": wanted.dag_id,
            "from_date": f"{wanted.first}T00:00:00Z",
            "to_date": f"{wanted.last}T00:00:00Z",
            "run_backwards": wanted.backwards,
            "reprocess_behavior": "failed",
            "dag_run_conf": wanted.conf,
            "max_active_runs": 3,
        }

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False)


def _is_same(other: dict[str, Any], body: dict[str, Any]) -> bool:
    """Return whether a backfill is the one that the body asks for."""
    days = all(_moment(other[name]) == _moment(body[name]) for name in ("from_date", "to_date"))
    return days and (other["dag_run_conf"] or {}) == body["dag_run_conf"]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _named(backfill: dict[str, Any]) -> str:
    """Return what people need to find a backfill."""
    paused = ", which is paused (unpause it in Airflow's UI)" if backfill["is_paused"] else ""
    return (
        f"backfill {backfill['id']} of {backfill['dag_id']} from {_moment(backfill['from_date']):%Y-%m-%d} to "
        f"{_moment(backfill['to_date']):%Y-%m-%d}{paused}: Airflow runs one of a DAG at a time"
    )


def watch(api: AirflowApi, dag_id: str, run_id: str, console: Console) -> bool:
    """Show how far a run is until it has ended; whether it succeeded."""
    with _progress(console) as progress:
        bar = progress.add_task("tasks", total=None)
        while True:
            now = api.progress(dag_id, run_id)
            progress.update(bar, completed=now.tasks_done, total=now.tasks or None)
            if now.ended:
                break
            time.sleep(_POLL_SECONDS)
    if now.state == "failed":
        failed = ", ".join(now.failed)
        console.print(f"  failed: {failed}. Mend what their logs say and give the same command again.", markup=False)
    return now.state == "success"


def _progress(console: Console) -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
