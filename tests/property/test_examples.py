"""The examples, and that each guard of the load is seen to be missing when it is taken away."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.property import examples
from tests.property.machine import LoadMachine
from tributary.errors import TributaryError
from tributary.warehouse import replace as replace_module
from tributary.warehouse import stage as stage_module

pytestmark = pytest.mark.emulators

Example = Callable[[type[LoadMachine]], None]


@pytest.mark.parametrize("example", examples.EXAMPLES, ids=lambda example: example.__name__)
def test_example(machine: type[LoadMachine], example: Example) -> None:
    machine.deadline = float("inf")
    example(machine)


Mutation = Callable[[pytest.MonkeyPatch, Counter[str]], None]


def _without(pattern: str, by: str = "") -> Mutation:
    """The load script without what the pattern finds."""

    def apply(patch: pytest.MonkeyPatch, done: Counter[str]) -> None:
        render = replace_module.render_replace

        def rendered(**arguments: Any) -> str:
            script, found = re.subn(pattern, by, render(**arguments), flags=re.DOTALL)
            done["mutated"] += found
            return script

        patch.setattr(replace_module, "render_replace", rendered)

    return apply


def _shared_stage(patch: pytest.MonkeyPatch, done: Counter[str]) -> None:
    stage = stage_module.stage

    def shared(**arguments: Any) -> Any:
        done["mutated"] += 1
        return stage(**arguments | {"stage_id": "shared"})

    patch.setattr(stage_module, "stage", shared)


MUTANTS = {
    "no version guard": (
        _without(r"    when coalesce\(t\._observed_at, u\._gone_at\) > s\._observed_at then 'superseded'\n"),
        examples.a_late_retry_meets_a_newer_version,
        "went from version . back to",
    ),
    "no tombstone guard": (
        _without(r"  and t\._observed_at < timestamp '[^']+'\n", "\n"),
        examples.a_late_listing_meets_a_record_that_was_dated_back,
        "is marked as deleted and never was",
    ),
    "no fence": (
        _without(r"update `[^`]+fence_\w+` set [^;]+;", ""),
        examples.two_runs_of_one_window_meet_on_an_empty_table,
        "raw holds in_10. twice",
    ),
    "a reject taken for a deletion": (
        _without(r"  and r\.client_id is null\n", "\n"),
        examples.a_record_breaks_its_contract,
        "in_101 is marked as deleted and never was",
    ),
    "children not replaced": (
        _without(r"delete from `[^`]+raw\.stripe_invoice_lines` t\n[^;]+;", ""),
        examples.an_invoice_loses_lines,
        "after the load 2 rows with 1 keys stand for 1 records",
    ),
    "no look at who was erased": (
        _without(r"where coalesce\(s\.n, 0\) != c\.n", "where false"),
        examples.somebody_is_erased_while_a_load_is_under_way,
        "in_101 was erased, and raw or its history has .*in.101@person.example",
    ),
    "a shared stage name": (
        _shared_stage,
        examples.two_runs_have_staged_before_either_replaces,
        "the stage table has 3 rows, expected 2",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_is_caught(machine: type[LoadMachine], mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.deadline = float("inf")
    mutate, example, said = MUTANTS[mutant]
    done: Counter[str] = Counter()
    mutate(monkeypatch, done)
    with pytest.raises((AssertionError, TributaryError)) as caught:
        example(machine)
    assert done["mutated"], "the load was as it should be"
    assert re.search(said, str(caught.value))
