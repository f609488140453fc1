"""Any sequence of operations on a company and of runs, reruns, crashes and races that load it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import wraps
from itertools import pairwise
from threading import Barrier
from typing import Any, ClassVar, TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies._internal.featureflags import FeatureFlags

from tests.property.checks import check_end, check_erased, check_now
from tests.property.company import Company, HubSpotCompany, Simulators, StripeCompany, email, midnight
from tests.property.runs import FAILURES, STEPS, Lane, Run, narrow, quietly
from tests.support.bigquery import BigQueryProxy
from tests.support.pipeline import empty, query
from tributary.clients import load_clients
from tributary.contracts.model import Axis
from tributary.warehouse.tables import ensure_tables
from tributary.windows import Window

COMPANIES: dict[str, type[Company]] = {"stripe": StripeCompany, "hubspot": HubSpotCompany}
FEED = timedelta(days=20)
#: What an API does wrong that a client has to bear.
FAULTS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"kind": "duplicate_page", "times": 2},
    {"kind": "empty_page", "times": 1},
    {"kind": "rate_limit", "times": 2},
    {"kind": "html_500", "times": 2},
    {"kind": "truncated", "times": 1, "after": 1},
    {"kind": "reset", "times": 1, "after": 1},
)
#: How a run ends: in the raw table, or as dead worker behind one of the steps.
ENDINGS = (*("replace",) * 4, "within extract", "extract", "flatten", "stage", "before commit", "after commit")
F = TypeVar("F", bound=Callable[..., Any])
pick = st.integers(0, 10**6)


def operation(function: F) -> F:
    """Counts it, and does nothing once the time is up."""

    @wraps(function)
    def counted(self: LoadMachine, *args: Any, **kwargs: Any) -> None:
        if time.monotonic() < LoadMachine.deadline:
            self.ran.append(function.__name__)
            LoadMachine.frequencies[function.__name__] += 1
            function(self, *args, **kwargs)

    return counted  # type: ignore[return-value]


class LoadMachine(RuleBasedStateMachine):
    """One sequence. What all sequences share is set on the class by the test."""

    simulators: ClassVar[Simulators]
    proxy: ClassVar[BigQueryProxy]
    deadline: ClassVar[float] = float("inf")
    frequencies: ClassVar[Counter[str]] = Counter()
    lengths: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        # Every rule in every sequence: left alone, hypothesis leaves most of them out of most sequences.
        self._rules_strategy.enabled_rules_strategy = st.builds(FeatureFlags)
        self.ran: list[str] = []
        self.pending: list[Run] = []
        self.seen: dict[str, int] = {}
        self.erased: set[str] = set()
        self.company: Any = None

    @initialize(source=st.sampled_from(sorted(COMPANIES)), records=st.integers(1, 4))
    def begin(self, source: str, records: int) -> None:
        if time.monotonic() >= self.deadline:
            return
        kind = COMPANIES[source]
        self.company = self.simulators.company(kind)
        client = next(iter(load_clients(source).values()))
        self.lane = Lane(source, kind.stream, client, narrow(source, kind.stream))
        ensure_tables(self.lane.warehouse, self.lane.contract, {})
        empty(*(table.name for table in self.lane.contract.tables))
        # An erasure looks at every stage table: those of the sequences before would make each one slower than the last.
        for table in self.lane.warehouse.tables("raw_stage"):
            self.lane.warehouse.client.delete_table(f"{self.lane.warehouse.project}.raw_stage.{table}")
        query(
            "delete from ops.ledger where true; delete from ops.rejects where true; "
            "delete from ops.reject_resolutions where true; delete from ops.suppressions where true;"
        )
        for number in range(records):
            self.company.create(number)
        self.company.pass_time(20)

    # The world changes

    @rule(children=st.integers(0, 4))
    @precondition(lambda self: self.company and len(self.company.records) < 9)
    @operation
    def create(self, children: int) -> None:
        self.company.create(children)

    @rule(which=pick, children=st.integers(0, 4), times=st.integers(1, 2))
    @precondition(lambda self: self.company and self.company.alive())
    @operation
    def change(self, which: int, children: int, times: int) -> None:
        for _ in range(times):
            self.company.change(self._of(self.company.alive(), which), children)

    @rule(which=pick)
    @precondition(lambda self: self.company and self.company.alive())
    @operation
    def delete(self, which: int) -> None:
        self.company.delete(self._of(self.company.alive(), which))

    @rule(which=pick)
    @precondition(lambda self: self.company and self.company.alive(broken=False))
    @operation
    def spoil(self, which: int) -> None:
        self.company.spoil(self._of(self.company.alive(broken=False), which))

    @rule(which=pick)
    @precondition(lambda self: self.company and self.company.alive(broken=True))
    @operation
    def mend(self, which: int) -> None:
        self.company.mend(self._of(self.company.alive(broken=True), which))

    @rule(which=pick)
    @precondition(lambda self: self._crm() and self._archived())
    @operation
    def restore(self, which: int) -> None:
        self.company.restore(self._of(self._archived(), which))

    @rule(which=pick, days=st.integers(0, 70))
    @precondition(lambda self: self._crm() and self.company.alive())
    @operation
    def move(self, which: int, days: int) -> None:
        self.company.move(self._of(self.company.alive(), which), days)

    @rule(which=pick, into=pick)
    @precondition(lambda self: self._crm() and len(self.company.alive()) > 1)
    @operation
    def merge(self, which: int, into: int) -> None:
        keys = self.company.alive()
        key = self._of(keys, which)
        self.company.merge(key, self._of([other for other in keys if other != key], into))

    @rule(which=pick)
    @precondition(lambda self: self._crm() and (self.company.alive() or self._archived()))
    @operation
    def purge(self, which: int) -> None:
        self.company.purge(self._of(self.company.alive() + self._archived(), which))

    @rule(which=pick)
    @precondition(lambda self: isinstance(self.company, StripeCompany) and bool(self.company.alive()))
    @operation
    def erase(self, which: int) -> None:
        """Somebody is taken out of the warehouse, while runs that read the source before are under way."""
        key = self._of(self.company.alive(), which)
        self.erased.add(key)
        self.lane.erase(email(key))
        check_erased(self.lane, self.erased)

    @rule(hours=st.sampled_from([1, 5, 20, 30, 24 * 3, 24 * 26]))
    @precondition(lambda self: self.company)
    @operation
    def pass_time(self, hours: int) -> None:
        self.company.pass_time(hours)

    @rule()
    @precondition(lambda self: self.company is None)
    def nothing(self) -> None:
        """What is left of a sequence for which there is no time."""

    # Runs

    @rule(fault=st.sampled_from(FAULTS), ending=st.sampled_from(ENDINGS), current=st.booleans())
    @precondition(lambda self: self.company)
    @operation
    def daily(self, fault: dict[str, Any], ending: str, current: bool) -> None:
        self._attempt(self._daily(current=current), fault, ending)

    @rule(fault=st.sampled_from(FAULTS), ending=st.sampled_from(ENDINGS), back=pick, days=st.integers(1, 40))
    @precondition(lambda self: self.company)
    @operation
    def rerun_of_an_old_window(self, fault: dict[str, Any], ending: str, back: int, days: int) -> None:
        self._attempt(self._old(back, days), fault, ending)

    @rule(fault=st.sampled_from(FAULTS), ending=st.sampled_from(ENDINGS))
    @precondition(lambda self: self.company)
    @operation
    def repair(self, fault: dict[str, Any], ending: str) -> None:
        self._attempt(self.lane.plan(self._window(1), everything=True), fault, ending)

    @rule(order=st.randoms(use_true_random=False), chunks=st.integers(2, 4), together=st.booleans())
    @precondition(lambda self: self.company)
    @operation
    def backfill(self, order: random.Random, chunks: int, together: bool) -> None:
        """Everything by creation date, in pieces in any order: one run of many chunks, or a run for each."""
        runs = self._chunks(chunks)
        order.shuffle(runs)
        if together:
            runs = [Run(self.lane, [run.items[0] for run in runs])]
        for run in runs:
            self._attempt(run, {}, "replace")

    @rule(kinds=st.lists(st.sampled_from(["daily", "old", "chunk"]), min_size=2, max_size=3), back=pick)
    @precondition(lambda self: self.company)
    @operation
    def runs_at_once(self, kinds: list[str], back: int) -> None:
        """They stage what they read and meet in the transaction."""
        made: dict[str, Callable[[], Run]] = {
            "daily": self._daily,
            "old": lambda: self._old(back, 30),
            "chunk": lambda: self._chunks(2)[back % 2],
        }
        runs = [made[kind]() for kind in kinds]
        for run in runs:
            run.up_to("stage")
        self._at_once(runs)

    @rule(which=pick)
    @precondition(lambda self: self.company and self.pending)
    @operation
    def retry(self, which: int) -> None:
        """A run that died goes on, perhaps long after others have loaded newer observations."""
        self._finish(self.pending.pop(which % len(self.pending)))

    @rule(back=pick)
    @precondition(lambda self: self.company and len(self.pending) > 1)
    @operation
    def retries_at_once(self, back: int) -> None:
        runs = [self.pending.pop(back % len(self.pending)) for _ in range(2)]
        for run in runs:
            run.up_to("stage")
        self._at_once(runs)

    def teardown(self) -> None:
        """Every window succeeds in the end; then raw and the open rejects are the source."""
        if self.company is None:
            return
        self.company.no_faults()
        if time.monotonic() < self.deadline:
            if self.ran:
                LoadMachine.lengths.append(len(self.ran))
            for run in self.pending:
                self._finish(run)
            self.company.pass_time(24)
            self._finish(self._daily())
            if not self.company.tells_all:
                self._finish(self.lane.plan(self._window(1), everything=True))
            check_end(self.company, self.lane)
            check_erased(self.lane, self.erased)

    # How it is done

    def _crm(self) -> bool:
        return isinstance(self.company, HubSpotCompany)

    def _archived(self) -> list[str]:
        return sorted(key for key, record in self.company.records.items() if record.now.gone == "archived")

    @staticmethod
    def _of(keys: list[str], which: int) -> str:
        return keys[which % len(keys)]

    def _window(self, days: int) -> Window:
        end = midnight(self.company.clock)
        return Window(end - timedelta(days=days), end)

    def _daily(self, *, current: bool = False) -> Run:
        """The window of the schedule, or one that ends now."""
        window = self._window(1)
        return self.lane.plan(Window(window.start, self._now()) if current else window)

    def _old(self, back: int, days: int) -> Run:
        """Some days before now, by creation date or, as far as the feed remembers, by changes."""
        end = midnight(self.company.clock) - timedelta(days=back % 40)
        window = Window(end - timedelta(days=days), end)
        remembered = window.start > self.company.clock - FEED
        return self.lane.plan(window, explicit=True, axis="changed" if remembered and back % 2 else "created")

    def _chunks(self, number: int) -> list[Run]:
        since, end = self.lane.client.since_at, self._now()
        # The records are all young: cutting the time evenly would leave them in one chunk.
        cuts = [end - timedelta(days=days) for days in (3, 20, 60)][: number - 1]
        edges = [since, *sorted(cut for cut in cuts if cut > since), end]
        return [self.lane.plan(Window(*pair), explicit=True, axis=Axis.CREATED) for pair in pairwise(edges)]

    def _now(self) -> datetime:
        """The next second, so that what happened this second lies before it."""
        self.company.clock += timedelta(seconds=1)
        self.company.pass_time(0)
        moment: datetime = self.company.clock
        return moment

    def _attempt(self, run: Run, fault: dict[str, Any], ending: str) -> None:
        if fault:
            self.company.fault(**fault)
        if ending == "within extract":
            self.company.fault(kind="unavailable", times=30, after=3)
            failed = quietly(lambda: run.step("extract"), *FAILURES)
            ending = "extract"
            LoadMachine.frequencies["extraction that failed"] += failed is not None
        elif ending in ("before commit", "after commit"):
            run.up_to("stage")
            committed = ending == "after commit"
            assert quietly(lambda: run.replace_and_crash(committed=committed), *FAILURES), "nothing crashed"
        else:
            run.up_to(ending)
        self.company.no_faults()
        if not run.done:
            self.pending.append(run)
            LoadMachine.frequencies[f"crash: {ending}"] += 1
        check_now(self.company, self.lane, self.seen)

    def _finish(self, run: Run) -> None:
        run.up_to(STEPS[-1])
        check_now(self.company, self.lane, self.seen)

    def _at_once(self, runs: list[Run]) -> None:
        begin = Barrier(len(runs))

        def replace(run: Run) -> None:
            begin.wait(30)
            run.step("replace")

        self.proxy.conflicts.hold = 0.15
        try:
            with ThreadPoolExecutor(len(runs)) as pool:
                list(pool.map(replace, runs))
        finally:
            self.proxy.conflicts.hold = 0.0
        check_now(self.company, self.lane, self.seen)
