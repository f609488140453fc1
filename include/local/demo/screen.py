"""What the demo shows: progress while it works, tables at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from include.local.demo.airflow_api import RunState
from include.local.demo.results import PARTS, Balance

MARKS = {"success": "[green]done[/]", "failed": "[red]failed[/]", "running": "running", "queued": "queued"}


class Screen:
    """Writes to `console`: a picture that changes in a terminal, lines now and then elsewhere (a log, CI)."""

    LINE_EVERY = 10.0

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._said: dict[str, tuple[str, float]] = {}

    def heading(self, text: str) -> None:
        """Begin a phase."""
        self.console.print(f"[bold]{text}[/]")

    def say(self, text: str) -> None:
        """One line within a phase."""
        self.console.print(f"  {text}")

    @contextmanager
    def runs(self) -> Iterator[None]:
        """While it lasts, `show` replaces what it has shown before."""
        self._said.clear()
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, refresh_per_second=4, transient=True) as self._live:
            yield
        self._live = None

    def show(self, states: Mapping[str, tuple[RunState, float]]) -> None:
        """The runs of a step: by DAG its state and the seconds since it was triggered."""
        if self._live:
            self._live.update(Group(*(_bar(dag, *state) for dag, state in states.items())))
            return
        now = time.monotonic()
        for dag, (state, seconds) in states.items():
            text, at = self._said.get(dag, ("", 0.0))
            line = f"{state.tasks_done}/{state.tasks}"
            if not state.ended and line != text and now - at >= self.LINE_EVERY:
                self._said[dag] = (line, now)
                self.say(f"{dag}: {line} tasks, {seconds:.0f} s")

    def ended(self, dag: str, state: RunState, seconds: float) -> None:
        """A run has ended."""
        self.say(f"{dag}: {MARKS.get(state.state, state.state)}, {state.tasks} tasks in {seconds:.0f} s")
        for task in state.failed:
            self.say(f"  [red]failed:[/] {task}")

    def customers(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Customers by lifetime value."""
        table = Table(title="Customers by lifetime value, the first of each currency", title_justify="left")
        for name in ("currency", "customer", "plan", "CRM status"):
            table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=34)
        for name in ("collected", "months"):
            table.add_column(name, justify="right", no_wrap=True)
        for name in ("first payment", "last payment", ""):
            table.add_column(name, no_wrap=True)
        for before, row in zip([None, *rows], rows, strict=False):
            first = before is None or before["currency"] != row["currency"]
            if first and before is not None:
                table.add_section()
            table.add_row(
                f"{str(row['currency']).upper()} ({row['customers']})" if first else "",
                str(row.get("email") or row["person_key"]),
                str(row["plan"] or "-"),
                str(row["crm_status"] or "-"),
                f"{row['revenue_collected']:,}",
                str(row["months_active"]),
                _day(row["first_payment_at"]),
                _day(row["last_payment_at"]),
                "churned in CRM, still active" if row["is_churned_in_crm_but_active"] else "",
            )
        self.console.print(table)

    def balances(self, rows: Iterable[Balance]) -> None:
        """The conservation equation per stream."""
        title = "Nothing lost, nothing doubled: received = " + " + ".join(PARTS)
        table = Table(title=title, title_justify="left")
        table.add_column("stream", no_wrap=True)
        for name in ("loads", "received", *PARTS, "tombstoned"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("")
        for row in rows:
            numbers = (row.loads, row.received, *row.parts.values(), row.tombstoned)
            mark = "[green]holds[/]" if row.holds else "[red]does not hold[/]"
            table.add_row(f"{row.source}.{row.stream}", *(f"{number:,}" for number in numbers), mark)
        self.console.print(table)


def _bar(dag: str, state: RunState, seconds: float) -> Text:
    width = 30
    filled = width * state.tasks_done // state.tasks if state.tasks else 0
    return Text.from_markup(
        f"  {dag:<16} [cyan]{'━' * filled}[/][dim]{'━' * (width - filled)}[/] "
        f"{state.tasks_done:>3}/{state.tasks:<3} {seconds:4.0f} s  {MARKS.get(state.state, state.state)}"
    )


def _day(moment: datetime | date | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"
