"""Runs of a lane in this process: the functions behind the operators, step by step, with every death in between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tests.property.company import Clock
from tests.support.pipeline import bucket, query, warehouse
from tributary.clients import Client
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Contract, Limits
from tributary.erasure.person import Person
from tributary.erasure.places import erase_rows, places
from tributary.erasure.suppressions import MAILBOX, meet_loads, suppress, suppressed
from tributary.errors import PostponedError, RefusedError, TributaryError
from tributary.flatten.flatten import flatten
from tributary.flatten.manifest import StagedManifest
from tributary.landing.extract import extract
from tributary.landing.manifest import LandingManifest
from tributary.landing.plan import AUTO, Wish, WorkItem
from tributary.ledger.read import loads
from tributary.operators import base
from tributary.operators.ingest.plan_ingest import PlanOperator
from tributary.privacy.keys import Keys
from tributary.privacy.rows import Personal
from tributary.sources import source
from tributary.warehouse import replace as replace_module
from tributary.warehouse import stage as stage_module
from tributary.warehouse.stage import Staged
from tributary.windows import Window

#: Columns that the sequences need; fewer make the emulator faster.
COLUMNS = {
    "invoices": {"id", "created", "number", "currency", "total", "customer_email"},
    "invoice_lines": {"id", "amount"},
    "deals": {"id", "created_at", "createdate", "hs_lastmodifieddate", "dealname", "amount"},
    "deal_contacts": {"contact_id"},
}
LABELS = {"dag": "property"}
KEYS = Keys(b"property" * 4)
_numbers = itertools.count(1)


class CrashError(Exception):
    """The worker died, or the answer of the warehouse never came."""


def narrow(name: str, stream: str) -> Contract:
    """The real contract with few columns, one child and no limit on what may vanish: eight records prove nothing."""
    contract = load_contracts(name)[stream]

    def chosen(table: Any) -> Any:
        columns = tuple(column for column in table.columns if column.name in COLUMNS[table.stream])
        required = {"total", "amount"} if table is contract else set()
        return tuple(c.model_copy(update={"required": c.required or c.name in required}) for c in columns)

    children = []
    for child in contract.children[:1]:
        inherit = {name: parent for name, parent in child.inherit.items() if parent in (*contract.key, "number")}
        children.append(child.model_copy(update={"columns": chosen(child), "inherit": inherit}))
    limits = Limits(rejects=1, tombstones=1)
    fewer = {"columns": chosen(contract), "children": tuple(children), "limits": limits, "unlisted": False}
    narrowed = contract.model_copy(update=fewer)
    # The copy has brought the tables of the original along.
    vars(narrowed).pop("tables", None)
    return narrowed


@dataclass
class Run:
    """One run of the lane: its work items and how far each has come."""

    lane: Lane
    items: list[WorkItem]
    number: int = field(default_factory=lambda: next(_numbers))
    landed: dict[int, LandingManifest] = field(default_factory=dict)
    flat: dict[int, StagedManifest] = field(default_factory=dict)
    staged: dict[int, Staged] = field(default_factory=dict)
    done: bool = False
    #: How often its flatten task was cleared.
    cleared: int = 0

    def __str__(self) -> str:
        return f"run {self.number}: {', '.join(f'{item.axis} {item.window}' for item in self.items)}"

    def step(self, name: str) -> None:
        """One of extract, flatten, stage, replace for all items; what was done before is not done again."""
        getattr(self, f"_{name}")()

    def up_to(self, last: str) -> None:
        for name in STEPS:
            self.step(name)
            if name == last:
                return

    def _attempt_chain(self, task: str, index: int = -1) -> str:
        tries = 3 + self.cleared * (task in ("flatten", "stage"))
        ti = SimpleNamespace(
            dag_id="property", run_id=f"run{self.number}", task_id=task, map_index=index, max_tries=tries
        )
        return base.attempt_chain({"ti": ti, "dag_run": SimpleNamespace(start_date=self.lane.started)})

    def _extract(self) -> None:
        from tributary.hooks.api import ApiHook

        for number, item in enumerate(self.items):
            if number in self.landed:
                continue
            while number not in self.landed:
                api, livemode = ApiHook(self.lane.source, self.lane.client).client()
                api._sleep = lambda _: None
                try:
                    self.landed[number] = extract(
                        source=self.lane.source,
                        api=api,
                        livemode=livemode,
                        contract=self.lane.contract,
                        client=self.lane.client,
                        item=item,
                        extraction_id=self._attempt_chain("extract", number),
                        bucket=self.lane.bucket,
                    )
                except PostponedError as error:
                    # The operator is deferred until then.
                    Clock.wait_until(error.until)

    def _flatten(self) -> None:
        for number, landing in self.landed.items():
            if number not in self.flat:
                self.flat[number] = flatten(
                    source=self.lane.source,
                    contract=self.lane.contract,
                    landing=landing,
                    attempt_id=self._attempt_chain("flatten", number),
                    bucket=self.lane.bucket,
                    personal=self.lane.personal(),
                )

    def _stage(self) -> None:
        for number, manifest in self.flat.items():
            if number not in self.staged:
                self.staged[number] = stage_module.stage(
                    warehouse=self.lane.warehouse,
                    contract=self.lane.contract,
                    manifest=manifest,
                    bucket=self.lane.bucket,
                    personal=self.lane.personal,
                    stage_id=self._attempt_chain("stage", number),
                    labels=LABELS,
                )

    def _replace(self) -> None:
        """Where somebody was erased since `flatten`, it is cleared, as the message says."""
        error = quietly(self._load, RefusedError)
        if error and ERASED in str(error):
            self.cleared += 1
            self.flat.clear()
            self.staged.clear()
            self.up_to("replace")
        elif error:
            raise error

    def _load(self, answer: str = "comes") -> None:
        replace_module.replace(
            warehouse=Unsteady(self.lane.warehouse, answer) if answer != "comes" else self.lane.warehouse,
            bucket=self.lane.bucket,
            contract=self.lane.contract,
            staged=[(self.staged[number], self.flat[number]) for number in sorted(self.staged)],
            load_id=self._attempt_chain("replace"),
            attempt=1,
            dag_id="property",
            run_id=self._attempt_chain("run"),
            labels=LABELS,
        )
        self.done = True

    def replace_and_crash(self, *, committed: bool) -> None:
        """The worker dies just before the transaction, or after it was committed and before it hears of that."""
        self._load("lost" if committed else "never asked")


class Unsteady:
    """A warehouse whose load transaction is not sent, or whose answer is lost."""

    def __init__(self, real: Any, answer: str) -> None:
        self._real, self._answer = real, answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def query(self, sql: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        if "begin transaction" not in sql:
            return list(self._real.query(sql, labels))
        if self._answer == "lost":
            self._real.query(sql, labels)
        raise CrashError(self._answer)


ERASED = "somebody was erased after the rows were flattened"
STEPS = ("extract", "flatten", "stage", "replace")


@dataclass
class Lane:
    """A stream of one client, and the tables it fills."""

    name: str
    stream: str
    client: Client
    contract: Contract
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.source = source(self.name)
        self.bucket, self.warehouse = bucket(), warehouse()

    def plan(self, window: Window, *, explicit: bool = False, axis: str = AUTO, everything: bool = False) -> Run:
        """A run as its `plan` task would have it."""
        wish = Wish(window=window, explicit=explicit, axis=axis, everything=everything)
        ledger = loads(self.warehouse, self.name, LABELS, self.stream)
        operator = PlanOperator(task_id="plan", source=self.name, stream=self.stream)
        planned = operator._items(self.contract, self.client, wish, ledger)
        return Run(self, [WorkItem.from_dict(item) for item in planned])

    def personal(self) -> Personal:
        return Personal(self.contract, KEYS, suppressed(self.warehouse, self.name, self.client.client_id))

    def erase(self, email: str) -> None:
        """As the command does in the warehouse."""
        person = Person.of(self.client.client_id, email, KEYS)
        suppress(self.warehouse, person.client_id, {MAILBOX: person.digests[:1]}, LABELS)
        meet_loads(self.warehouse, [self.contract], LABELS)
        for place in places(self.warehouse, person, [self.contract], LABELS):
            erase_rows(self.warehouse, place, LABELS)

    def addresses(self) -> dict[str, set[str | None]]:
        """Invoice -> addresses that raw and raw_history hold of it."""
        own = self.contract.tables[0].name
        held = [f"select id, customer_email as e from {dataset}.{own}" for dataset in ("raw", "raw_history")]
        found: dict[str, set[str | None]] = {}
        for row in query(" union all ".join(held)):
            found.setdefault(row["id"], set()).add(row["e"])
        return found

    def rows(self) -> list[dict[str, Any]]:
        """The raw table and its child in one: own rows have no child key."""
        own, child = self.contract.tables
        version = {"invoices": "total", "deals": "amount"}[self.stream]
        child_version = "amount" if self.stream == "invoices" else "null"
        child_key = child.key[-1]
        return query(
            f"select {own.key[0]} as id, cast(null as string) as child, cast({version} as int64) as number, "
            f"_deleted_at is not null as gone, _observed_at, _valid_from from raw.{own.name} union all "
            f"select {child.parent_key[0]}, {child_key}, cast({child_version} as int64), _deleted_at is not null, "
            f"_observed_at, _valid_from from raw.{child.name}"
        )

    def rejects(self) -> dict[str, datetime]:
        """Open rejects: when each key was answered last."""
        rows = query(
            "select record_key, max(_observed_at) as answered_at from ops.open_rejects "
            f"where stream = '{self.stream}' group by 1"
        )
        return {row["record_key"]: row["answered_at"] for row in rows}

    def history(self) -> list[dict[str, Any]]:
        own = self.contract.tables[0]
        columns = f"{own.key[0]} as id, _valid_from"
        return query(
            f"select {columns}, _valid_to from raw_history.{own.name} union all "
            f"select {columns}, cast(null as timestamp) from raw.{own.name} "
            "order by id, _valid_from, _valid_to nulls last"
        )


def quietly(action: Callable[[], Any], *errors: type[Exception]) -> Exception | None:
    """Run it; the failure, if it is one of these."""
    try:
        action()
    except errors as error:
        return error
    return None


FAILURES = (TributaryError, CrashError)
