"""Which model a test belongs to, and what a build made of each model."""

from typing import Any

import pytest

from tributary.builds.outcomes import Outcome, Ownership, Result, outcomes, to_be_built
from tributary.errors import TributaryError


def node(kind: str, name: str, *parents: str, declared_on: str | None = None) -> dict[str, Any]:
    attached = {"attached_node": f"model.p.{declared_on}" if declared_on else None} if kind == "test" else {}
    return {
        "unique_id": f"{kind}.p.{name}",
        "resource_type": kind,
        "name": name,
        "schema": "dq",
        "alias": name,
        "depends_on": {"nodes": [f"model.p.{parent}" for parent in parents]},
        **attached,
    }


def manifest(*nodes: dict[str, Any]) -> dict[str, Any]:
    children: dict[str, list[str]] = {each["unique_id"]: [] for each in nodes}
    for each in nodes:
        for parent in each["depends_on"]["nodes"]:
            children[parent].append(each["unique_id"])
    return {"nodes": {each["unique_id"]: each for each in nodes}, "child_map": children}


#: customers and invoices are read by revenue; a relationship and two singular tests look at several of them.
OWNERSHIP = Ownership(
    manifest(
        node("model", "customers"),
        node("model", "invoices"),
        node("model", "diary", "invoices"),
        node("model", "revenue", "customers", "invoices"),
        node("test", "unique_customers", "customers", declared_on="customers"),
        node("test", "invoices_have_customers", "customers", "invoices", declared_on="invoices"),
        node("test", "revenue_adds_up", "invoices", "revenue"),
        node("test", "no_orphans", "customers", "invoices"),
        # what an invoice belongs to is built out of the invoices: nothing can be said before that
        node("test", "invoices_are_booked", "invoices", "revenue", declared_on="invoices"),
    )
)


def test_a_test_belongs_to_what_it_is_declared_on_or_to_the_parent_with_the_fewest_dependents() -> None:
    assert OWNERSHIP.owners == {
        "test.p.unique_customers": "model.p.customers",
        "test.p.invoices_have_customers": "model.p.invoices",
        "test.p.revenue_adds_up": "model.p.revenue",
        "test.p.no_orphans": "model.p.customers",
        "test.p.invoices_are_booked": "model.p.revenue",
    }


def test_a_model_that_is_built_alone_is_looked_at_by_all_tests_that_no_later_model_brings() -> None:
    found = {name: OWNERSHIP.tests_of(f"model.p.{name}") for name in ("customers", "invoices", "revenue", "diary")}
    assert found == {
        "customers": ["test.p.unique_customers", "test.p.invoices_have_customers", "test.p.no_orphans"],
        # not the two that also look at revenue: it is built after it, and brings them along
        "invoices": ["test.p.invoices_have_customers", "test.p.no_orphans"],
        "revenue": ["test.p.revenue_adds_up", "test.p.invoices_are_booked"],
        "diary": [],
    }


def test_what_also_looks_at_a_model_that_is_not_built_is_left_to_that_one() -> None:
    own, *others = OWNERSHIP.tests_of("model.p.customers")
    assert OWNERSHIP.tests_of("model.p.customers", {"model.p.customers", "model.p.invoices"}) == [own]
    assert set(others) <= set(OWNERSHIP.tests_of("model.p.invoices", {"model.p.invoices"}))


def test_a_task_that_only_reports_what_the_whole_build_made_brings_no_test_along() -> None:
    """It is still queued while a sibling builds itself: a test of the two that was left to it would never be run."""
    tasks = {"done": "success", "now": "running", "reports": "queued", "red": "failed", "again": None, "left": "queued"}
    whole = {
        "reports": Outcome(state="built", reason=""),
        "red": Outcome(state="refused", reason="its rows"),
        "again": Outcome(state="failed", reason=""),
        "left": Outcome(state="left", reason=""),
    }
    assert to_be_built(tasks, whole) == {"again", "left"}
    assert to_be_built(tasks, {}) == {"reports", "red", "again", "left"}


def test_a_failed_test_fails_its_model_and_says_where_the_rows_are() -> None:
    found = outcomes(
        [
            Result("model.p.customers", "success"),
            Result("model.p.invoices", "success"),
            Result("model.p.diary", "success"),
            Result("model.p.revenue", "skipped"),
            Result("test.p.unique_customers", "pass", 0),
            Result("test.p.no_orphans", "warn", 3),
            Result("test.p.invoices_have_customers", "fail", 2),
            Result("test.p.revenue_adds_up", "skipped"),
        ],
        OWNERSHIP,
    )
    assert {key.rpartition(".")[2]: outcome["state"] for key, outcome in found.items()} == {
        "customers": "built",
        "invoices": "refused",
        "diary": "built",
        "revenue": "left",
    }
    reason = "invoices_have_customers found 2 rows, which are in dq.invoices_have_customers"
    assert found["model.p.invoices"]["reason"] == reason


def test_what_could_not_run_is_worth_another_attempt() -> None:
    results = [
        Result("model.p.customers", "success"),
        Result("model.p.invoices", "error"),
        Result("test.p.unique_customers", "fail", 1),
        Result("test.p.no_orphans", "error"),
    ]
    found = outcomes(results, OWNERSHIP)
    assert found["model.p.invoices"]["state"] == found["model.p.customers"]["state"] == "failed"
    assert "no_orphans could not run; unique_customers found 1 rows" in found["model.p.customers"]["reason"]


def test_a_failure_that_no_task_would_show_is_none_of_a_model() -> None:
    with pytest.raises(TributaryError, match=r"dbt failed at operation\.p\.on_run_end"):
        outcomes([Result("model.p.customers", "success"), Result("operation.p.on_run_end", "error")], OWNERSHIP)
