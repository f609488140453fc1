"""What each list can be filtered by, and the filters as predicates on full objects."""

from __future__ import annotations

from collections.abc import Callable

from include.simulators.stripe.errors import invalid
from include.simulators.stripe.lists import Params, Test, boolean, within
from include.simulators.world.people import words
from include.simulators.world.store import JsonObject

PAGING = ("limit", "starting_after", "ending_before")
#: Filters by collection: single values and lists, then ranges.
FILTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "customers": (("email", "test_clock"), ("created",)),
    "products": (("active", "ids", "shippable", "type", "url"), ("created",)),
    "prices": (("active", "currency", "lookup_keys", "product", "recurring", "type"), ("created",)),
    "subscriptions": (
        ("automatic_tax", "collection_method", "customer", "customer_account", "plan", "price", "status", "test_clock"),
        ("created", "current_period_end", "current_period_start"),
    ),
    "invoices": (
        ("collection_method", "customer", "customer_account", "status", "subscription"),
        ("created", "due_date"),
    ),
}
_STATUSES = {
    "subscriptions": words("active all canceled ended incomplete incomplete_expired past_due paused trialing unpaid"),
    "invoices": words("draft open paid uncollectible void"),
}
#: Parameters that must equal the field of the same name.
_PLAIN = words("customer collection_method email currency product type customer_account url test_clock")
_FLAGS = ("active", "shippable")
_AMONG = {"ids": "id", "lookup_keys": "lookup_key"}


def tests_for(name: str, params: Params) -> list[Test]:
    """The filters of a list request but for `created`. Raises StripeError on values that cannot be."""
    status = params.single.get("status")
    if status is not None and status not in _STATUSES[name]:
        raise invalid("status", f"Invalid status: must be one of {', '.join(_STATUSES[name])}")
    tests = [_equals(key, params.single[key]) for key in _PLAIN if key in params.single]
    tests += [_equals(key, boolean(key, params.single[key])) for key in _FLAGS if key in params.single]
    tests += [_among(field, params.lists[key]) for key, field in _AMONG.items() if key in params.lists]
    if name == "subscriptions":
        tests += _subscription_tests(params, status)
    elif name == "invoices":
        tests += _invoice_tests(params, status)
    elif name == "prices":
        inner = {key[len("recurring[") : -1]: value for key, value in params.single.items() if "[" in key}
        tests += [_recurs(key, value) for key, value in inner.items()]
    return tests


def _invoice_tests(params: Params, status: str | None) -> list[Test]:
    tests: list[Test] = []
    if status is not None:
        tests.append(_equals("status", status))
    if "subscription" in params.single:
        wanted = params.single["subscription"]
        tests.append(lambda shape: _subscription_of(shape) == wanted)
    if "due_date" in params.ranges:
        bounds = params.ranges["due_date"]
        tests.append(lambda shape: within(shape["due_date"], bounds))
    return tests


def _subscription_tests(params: Params, status: str | None) -> list[Test]:
    tests: list[Test] = []
    if status is None:
        # Without a status, canceled ones are left out.
        tests.append(lambda shape: bool(shape["status"] != "canceled"))
    elif status == "ended":
        tests.append(lambda shape: shape["status"] in ("canceled", "incomplete_expired"))
    elif status != "all":
        tests.append(_equals("status", status))
    tests += [_has_price(params.single[key]) for key in ("price", "plan") if key in params.single]
    for key, choose in (("current_period_start", max), ("current_period_end", min)):
        if key in params.ranges:
            tests.append(_period(key, choose, params.ranges[key]))
    if "automatic_tax[enabled]" in params.single:
        wanted = boolean("automatic_tax[enabled]", params.single["automatic_tax[enabled]"])
        tests.append(lambda shape: bool(shape["automatic_tax"]["enabled"] == wanted))
    return tests


def _subscription_of(invoice: JsonObject) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


def _equals(key: str, value: object) -> Test:
    return lambda shape: bool(shape.get(key) == value)


def _among(key: str, values: list[str]) -> Test:
    return lambda shape: shape.get(key) in values


def _recurs(key: str, value: str) -> Test:
    return lambda shape: bool((shape["recurring"] or {}).get(key) == value)


def _has_price(id: str) -> Test:
    return lambda shape: any(item["price"]["id"] == id for item in shape["items"]["data"])


def _period(key: str, choose: Callable[[list[int]], int], bounds: dict[str, int]) -> Test:
    return lambda shape: within(choose([item[key] for item in shape["items"]["data"]]), bounds)
