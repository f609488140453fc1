"""Budgets are shared out so that they hold without anybody counting."""

import json
import math

import pytest

from tests.conftest import ROOT
from tributary.clients import Client
from tributary.concurrency import POOL_SLOTS, STREAM_TASKS, spacing
from tributary.sources import source


def test_the_pools_have_the_slots_that_the_shares_are_computed_from():
    pools = json.loads((ROOT / "include" / "pools.json").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == {
        f"api_{name}": slots for name, slots in POOL_SLOTS.items()
    }


@pytest.mark.parametrize(
    ("requests", "seconds", "tasks"), [(25, 1, 5), (100, 1, 20), (5, 1, 5), (100, 10, 5), (1, 1, 4)]
)
def test_tasks_that_coincide_stay_within_the_budget(requests, seconds, tasks):
    """The worst case: all tasks send in the same instants, and a window begins right before one."""
    pause = spacing(requests, seconds, tasks)
    most_of_one = math.ceil(round(seconds / pause, 6))
    assert tasks * most_of_one <= max(requests, tasks)


def client(**fields):
    return Client(client_id="c", connection="stripe_default", account="acct", **fields)


def test_stripe_keeps_to_its_budgets_per_account_and_endpoint():
    live = source("stripe").spacing(client(livemode=True))
    assert STREAM_TASKS / live["default"] <= 25
    assert POOL_SLOTS["stripe"] / live["default"] <= 100
    assert POOL_SLOTS["stripe"] / live["events"] <= 25
    test = source("stripe").spacing(client(livemode=False))
    assert POOL_SLOTS["stripe"] / test["default"] <= 25
    assert STREAM_TASKS / live["default"] >= 0.95 * 25, (
        "one stream's tasks leave a part of its endpoint's budget unused"
    )


def test_an_account_with_limits_of_its_own():
    pause = source("stripe").spacing(client(requests_per_second=40))["default"]
    assert 38 < POOL_SLOTS["stripe"] / pause <= 40
