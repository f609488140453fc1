"""Short sequences that found a bug, or that show what each guard of the load is for; with the same checks."""

from collections.abc import Callable
from datetime import timedelta

from tests.property.machine import LoadMachine
from tests.property.runs import Run
from tributary.contracts.model import Axis
from tributary.windows import Window


def _begin(machine: type[LoadMachine], source: str, records: int = 2) -> LoadMachine:
    state = machine()
    state.begin(source=source, records=records)
    return state


def _load(state: LoadMachine) -> None:
    state._finish(state._daily(current=True))


def _staged(state: LoadMachine, run: Run) -> Run:
    run.up_to("stage")
    return run


def a_late_retry_meets_a_newer_version(machine: type[LoadMachine]) -> None:
    state = _begin(machine, "stripe")
    _load(state)
    state.company.change("in_101", 3)
    late = _staged(state, state._daily(current=True))
    state.company.change("in_101", 1)
    _load(state)
    state._finish(late)
    state.teardown()


def a_late_listing_meets_a_record_that_was_dated_back(machine: type[LoadMachine]) -> None:
    """It can't have been listed, since it was not there yet; so it is not gone either."""
    state = _begin(machine, "hubspot")
    _load(state)
    late = _staged(state, state.lane.plan(state._window(1), everything=True))
    state.company.create(1)
    state.company.move("103", 10)
    state.company.pass_time(1)
    _load(state)
    state._finish(late)
    state.teardown()


def two_runs_of_one_window_meet_on_an_empty_table(machine: type[LoadMachine]) -> None:
    state = _begin(machine, "stripe", 3)
    state._at_once([_staged(state, state._daily()) for _ in range(2)])
    state.teardown()


def a_record_breaks_its_contract(machine: type[LoadMachine]) -> None:
    """It is still listed, if only as a reject: its last good version stays."""
    state = _begin(machine, "stripe")
    _load(state)
    state.company.spoil("in_101")
    state._finish(state.lane.plan(state._window(1), everything=True))
    state.teardown()


def an_invoice_loses_lines(machine: type[LoadMachine]) -> None:
    state = _begin(machine, "stripe")
    state.company.change("in_102", 4)
    _load(state)
    state.company.change("in_102", 1)
    _load(state)
    state.teardown()


def two_runs_have_staged_before_either_replaces(machine: type[LoadMachine]) -> None:
    state = _begin(machine, "stripe")
    first = _staged(state, state._daily(current=True))
    state.company.create(2)
    second = _staged(state, state._daily(current=True))
    state._finish(first)
    state._finish(second)
    state.teardown()


def a_create_date_leaves_the_window_that_is_listed_again(machine: type[LoadMachine]) -> None:
    """A listing of the old window doesn't hold the record any more, and it is not gone."""
    state = _begin(machine, "hubspot")
    state.company.move("101", 60)
    state.company.pass_time(1)
    _load(state)
    old = state.company.clock - timedelta(days=60)
    state.company.move("101", 1)
    window = Window(old - timedelta(days=5), old + timedelta(days=5))
    state._finish(state.lane.plan(window, explicit=True, axis=Axis.CREATED))
    state.teardown()


def history_is_listed_in_pieces_with_changes_in_between(machine: type[LoadMachine]) -> None:
    """What changed after the first piece was read is in neither listing: the next run has to ask the feed for it."""
    state = _begin(machine, "stripe")
    state.company.pass_time(24 * 4)
    state.company.create(1)
    first, _ = state._chunks(2)
    state._finish(first)
    state.company.change("in_101", 2)
    state.company.pass_time(48)
    last = state.lane.plan(Window(first.items[0].window.end, state._now()), explicit=True, axis=Axis.CREATED)
    state._finish(last)
    state.teardown()


def a_record_that_breaks_its_contract_is_archived(machine: type[LoadMachine]) -> None:
    """Nothing of it can be read but that it is gone: that is what raw says, and its reject is settled."""
    state = _begin(machine, "hubspot")
    _load(state)
    state.company.spoil("101")
    state.company.delete("101")
    state.company.pass_time(1)
    _load(state)
    state.teardown()


def somebody_is_erased_while_a_load_is_under_way(machine: type[LoadMachine]) -> None:
    """It has read the list before, and stages the person in clear behind the erasure."""
    state = _begin(machine, "stripe")
    _load(state)
    state.company.change("in_101", 1)
    late = state._daily(current=True)
    late.up_to("flatten")
    state.erase(0)
    state._finish(late)
    state.teardown()


def a_record_is_merged_into_one_that_breaks_its_contract(machine: type[LoadMachine]) -> None:
    """The survivor is a reject, and what was merged into it is gone all the same."""
    state = _begin(machine, "hubspot")
    _load(state)
    state.company.spoil("101")
    state.company.merge("102", "101")
    state.company.pass_time(1)
    _load(state)
    state.teardown()


EXAMPLES: tuple[Callable[[type[LoadMachine]], None], ...] = (
    a_late_retry_meets_a_newer_version,
    a_late_listing_meets_a_record_that_was_dated_back,
    two_runs_of_one_window_meet_on_an_empty_table,
    a_record_breaks_its_contract,
    an_invoice_loses_lines,
    two_runs_have_staged_before_either_replaces,
    a_create_date_leaves_the_window_that_is_listed_again,
    history_is_listed_in_pieces_with_changes_in_between,
    a_record_that_breaks_its_contract_is_archived,
    somebody_is_erased_while_a_load_is_under_way,
    a_record_is_merged_into_one_that_breaks_its_contract,
)
