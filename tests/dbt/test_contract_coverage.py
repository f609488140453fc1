"""Every field that Stripe documents is a column or known on purpose; anything else would be drift on day one."""

import csv
import json

import pytest
import stripe
from stripe.params import PayoutListParams

from local.settings import ROOT
from tests.dbt.runner import PROJECT
from tests.dbt.warehouse import tables
from tests.support.stripe_sdk import event_types, field_types, parameters
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Axis, ColumnType, Contract

REFERENCE = ROOT.parent / "shared" / "api" / "stripe"
RESOURCES = {
    "customer": "stripe_customers",
    "product": "stripe_products",
    "price": "stripe_prices",
    "coupon": "stripe_coupons",
    "subscription": "stripe_subscriptions",
    "subscription_item": "stripe_subscription_items",
    "discount": "stripe_subscription_discounts",
    "invoice": "stripe_invoices",
    "invoice_line_item": "stripe_invoice_lines",
    "invoice_payment": "stripe_invoice_payments",
    "charge": "stripe_charges",
    "refund": "stripe_refunds",
    "dispute": "stripe_disputes",
    "credit_note": "stripe_credit_notes",
    "credit_note_line_item": "stripe_credit_note_lines",
    "balance_transaction": "stripe_balance_transactions",
    "payout": "stripe_payouts",
    "event": "stripe_events",
}
#: A part of the invoice: which discount took off what.
PARTS = {"stripe_invoice_discounts"}
#: Columns that only older versions of the API fill.
FORMER = {
    "subscription": {"current_period_start", "current_period_end"},
    "charge": {"invoice_id"},
    "credit_note": {"refund_id"},
}
CONTRACTS = load_contracts("stripe")

needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference of Stripe's API is not there")


def _documented(resource: str) -> dict[str, str]:
    """Path -> type of the resource's fields, those inside lists left out."""
    if resource == "payout":  # the reference leaves it out
        return field_types(stripe.Payout)
    with (REFERENCE / "fields.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {row["path"]: row["type"] for row in rows if row["resource"] == resource and "[]" not in row["path"]}


def _read(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((REFERENCE / name).read_text())
    return found


def test_every_table_stands_for_a_resource() -> None:
    own = {name for name in tables() if name.startswith("stripe_")}
    assert own == set(RESOURCES.values()) | PARTS


@needs_reference
@pytest.mark.parametrize("resource", RESOURCES)
def test_every_documented_field_is_decided_on(resource: str) -> None:
    table = tables()[RESOURCES[resource]]
    own = table.child.columns if table.child else table.contract.columns
    taken = {path for column in own for path in column.path} | {known.removesuffix(".*") for known in table.known}
    taken |= {child.path for child in table.contract.children} if not table.child else set()
    documented = _documented(resource)
    assert len(documented) > 10

    def decided(path: str) -> bool:
        parts = path.split(".")
        above = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        entered = any(other.startswith(f"{path}.") for other in taken)
        return bool(above & taken) or entered

    assert sorted(path for path in documented if not decided(path)) == []


@needs_reference
@pytest.mark.parametrize("resource", RESOURCES)
def test_the_first_path_of_every_column_exists_in_the_pinned_version(resource: str) -> None:
    """The first path is the current version's, the others are older ones. Few are older altogether."""
    table = tables()[RESOURCES[resource]]
    own = table.child.columns if table.child else table.contract.columns
    documented = _documented(resource)
    # the insides of these are documented elsewhere or not at all: embedded resources, and objects that are only named
    inside = {"price", "plan", "discount"} | {path for path, type_ in documented.items() if type_ == "object"}
    inside -= {".".join(path.split(".")[:-1]) for path in documented}

    def there(path: str) -> bool:
        return path in documented or any(path.startswith(f"{above}.") for above in inside)

    assert {column.name for column in own if not there(column.path[0])} == FORMER.get(resource, set())


@needs_reference
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_column_has_the_type_that_is_documented(resource: str) -> None:
    """And what may be an object instead of its id is declared so."""
    table = tables()[RESOURCES[resource]]
    own = table.child.columns if table.child else table.contract.columns
    documented = _documented(resource)
    fitting = {
        "integer": {ColumnType.INT64, ColumnType.TIMESTAMP},
        "number": {ColumnType.FLOAT64, ColumnType.NUMERIC},
        "boolean": {ColumnType.BOOL},
        "string": {ColumnType.STRING},
        "decimal-string": {ColumnType.STRING},
    }
    wrong = []
    for column in own:
        type_ = documented.get(column.path[0], "object")
        expandable = type_.startswith("id|expandable")
        if expandable or type_ in fitting:
            allowed = {ColumnType.STRING} if expandable else fitting[type_]
            # a `source.coupon` of today was a plain object before, so more may be read as ids than is documented
            if column.type not in allowed or (expandable and not column.expandable):
                wrong.append(f"{column.name}: {column.type} for {type_}")
        elif column.type != ColumnType.JSON and column.path[0] in documented and not column.expandable:
            wrong.append(f"{column.name}: {column.type} for {type_}")
    assert wrong == []


@pytest.mark.parametrize("name", sorted(name for name in tables() if name.startswith("stripe_")))
def test_money_is_whole_minor_units_with_its_currency(name: str) -> None:
    table = tables()[name]
    names = {column.name for column in table.columns}
    money = [column for column in table.columns if (column.unit or "").startswith("minor")]
    for column in money:
        assert column.type in (ColumnType.INT64, ColumnType.JSON, ColumnType.STRING), column.name
        currency = (column.unit or "").partition(" of ")[2] or "currency"
        assert currency in names, f"{column.name} has no {currency}"
    amounts = {c.name for c in table.columns if "amount" in c.name or c.name in ("fee", "net", "balance")}
    assert amounts <= {column.name for column in money}


@needs_reference
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_asks_for_what_exists(contract: Contract) -> None:
    request = contract.request
    events, deleted = request.get("events", []), request.get("deleted", [])
    assert set(events) <= event_types() and len(set(events)) == len(events) <= 20
    assert set(deleted) <= set(events)
    # `customer.subscription.deleted` is a cancellation
    own = {type_ for type_ in events if type_.endswith(".deleted") and type_ != "customer.subscription.deleted"}
    assert set(deleted) == own
    assert bool(events) == (contract.daily == Axis.CHANGED)
    endpoints = _read("list_endpoints.json")["endpoints"]
    assert isinstance(endpoints, dict)
    endpoints["GET /v1/payouts"] = parameters(PayoutListParams)
    allowed = endpoints[f"GET {request['path']}"]
    assert "created" in allowed
    assert set(request["params"]) <= set(allowed)


@needs_reference
def test_the_currencies_are_stripes_own() -> None:
    reference = _read("currencies.json")
    exponents = {"zero_decimal": 0, "three_decimal": 3}
    wanted = {code: exponent for kind, exponent in exponents.items() for code in list(reference[kind])}  # type: ignore[call-overload]
    with (PROJECT / "seeds" / "currencies.csv").open() as lines:
        seed = {row["currency"]: row for row in csv.DictReader(lines)}
    assert {code: int(row["exponent"]) for code, row in seed.items() if row["exponent"] != "2"} == wanted
    special = reference["special"]
    assert isinstance(special, dict)
    for code, rule in special.items():
        assert int(seed[code]["exponent"]) == rule["exponent"]
    for row in seed.values():
        assert float(row["major_per_minor"]) == 10 ** -int(row["exponent"])
