"""Prints the demo's progress, and tables at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from local.demo.airflow_api import RunState
from local.demo.results import PARTS, Balance

ROOMY = 110
"""From this width on, in characters, all columns are shown."""

STYLE: dict[str, Any] = {
    "title_justify": "left",
    "title_style": "bold",
    "caption_justify": "left",
    "box": box.SIMPLE_HEAD,
    "padding": (0, 1, 0, 0),
    "pad_edge": False,
}
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
        """Customers by lifetime value, grouped by currency."""
        roomy = self.console.width >= ROOMY
        title = "Customers by lifetime value: the first of each currency"
        table = Table(title=title, caption="* churned in the CRM, but with an active subscription", **STYLE)
        table.add_column("currency", no_wrap=True)
        table.add_column("customer", no_wrap=True, overflow="ellipsis", max_width=40 if roomy else 26)
        if roomy:
            table.add_column("plan", no_wrap=True, overflow="ellipsis", max_width=16)
        table.add_column("in the CRM", no_wrap=True)
        table.add_column("collected", justify="right", no_wrap=True)
        table.add_column("months", justify="right", no_wrap=True)
        if roomy:
            table.add_column("paid from, to", no_wrap=True)
        for currency, group in groupby(rows, key=itemgetter("currency")):
            customers = list(group)
            decimals = _decimals(row["revenue_collected"] for row in customers)
            for row in customers:
                first = row is customers[0]
                flagged = "[red]{} *[/]" if row["is_churned_in_crm_but_active"] else "{}"
                table.add_row(
                    f"{str(currency).upper()} ({row['customers']})" if first else "",
                    escape(str(row.get("email") or row["person_key"])),
                    *([escape(str(row["plan"] or "-"))] if roomy else []),
                    flagged.format(escape(str(row["crm_status"] or "-"))),
                    f"{row['revenue_collected']:,.{decimals}f}",
                    str(row["months_active"]),
                    *([f"{_month(row['first_payment_at'])} {_month(row['last_payment_at'])}"] if roomy else []),
                )
            table.add_section()
        self.console.print(table)

    def metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Recurring revenue and lifetime value per currency."""
        table = Table(title="Recurring revenue this month, and lifetime value per customer", **STYLE)
        for heading in ("currency", "MRR", "ARR", "customers", "net retention", "lifetime value"):
            table.add_column(heading, justify="left" if heading == "currency" else "right", no_wrap=True)
        for row in rows:
            table.add_row(
                str(row["currency"]).upper(),
                f"{row['mrr']:,.2f}",
                f"{row['arr']:,.2f}",
                str(row["customers"]),
                "-" if row["nrr"] is None else f"{row['nrr']:.1%}",
                "-" if row["clv"] is None else f"{row['clv']:,.2f}",
            )
        self.console.print(table)

    def balances(self, rows: Iterable[Balance]) -> None:
        """The conservation equation per stream."""
        table = Table(title="Nothing lost, nothing doubled: what was received and what became of it", **STYLE)
        table.add_column("stream", no_wrap=True)
        table.add_column("received", justify="right", no_wrap=True)
        table.add_column("= " + " + ".join(PARTS), min_width=22)
        table.add_column("", no_wrap=True)
        for row in rows:
            parts = "= " + " + ".join(f"{number:,}" for number in row.parts.values())
            mark = "[green]holds[/]" if row.holds else "[red]does not hold[/]"
            table.add_row(f"{row.source}.{row.stream}", f"{row.received:,}", parts, mark)
        self.console.print(table)


def _bar(dag: str, state: RunState, seconds: float) -> Text:
    width = 30
    filled = width * state.tasks_done // state.tasks if state.tasks else 0
    return Text.from_markup(
        f"  {dag:<16} [cyan]{'━' * filled}[/][dim]{'━' * (width - filled)}[/] "
        f"{state.tasks_done:>3}/{state.tasks:<3} {seconds:4.0f} s  {MARKS.get(state.state, state.state)}"
    )


def _month(moment: datetime | date | None) -> str:
    return f"{moment:%Y-%m}" if moment else "-"


def _decimals(amounts: Iterable[Decimal]) -> int:
    """As many decimals as the amounts of one currency have, but never just one; none when all are whole."""
    most = max(max(-int(amount.normalize().as_tuple().exponent), 0) for amount in amounts)
    return 2 if most == 1 else most
