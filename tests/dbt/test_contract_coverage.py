"""Every field that Stripe documents is a column or known on purpose; anything else would be drift on day one."""

import csv
from pathlib import Path

import pytest

from include.local.settings import ROOT
from tests.dbt.warehouse import tables

FIELDS = ROOT.parent / "shared" / "api" / "stripe" / "fields.tsv"
RESOURCES = {
    "customer": "stripe_customers",
    "product": "stripe_products",
    "price": "stripe_prices",
    "subscription": "stripe_subscriptions",
    "subscription_item": "stripe_subscription_items",
    "invoice": "stripe_invoices",
    "invoice_line_item": "stripe_invoice_lines",
}


def _documented(resource: str) -> set[str]:
    """Paths of the resource's fields, those inside lists left out."""
    with Path(FIELDS).open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {row["path"] for row in rows if row["resource"] == resource and "[]" not in row["path"]}


@pytest.mark.skipif(not FIELDS.exists(), reason="the reference of Stripe's fields is not there")
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


@pytest.mark.skipif(not FIELDS.exists(), reason="the reference of Stripe's fields is not there")
@pytest.mark.parametrize("resource", RESOURCES)
def test_the_first_path_of_every_column_exists_in_the_pinned_version(resource: str) -> None:
    """The first path is the current version's, the others are older ones. Few are older altogether."""
    table = tables()[RESOURCES[resource]]
    own = table.child.columns if table.child else table.contract.columns
    documented = _documented(resource)
    # a price or plan that is embedded in an item is a resource of its own
    embedded = {"price.", "plan."}
    wrong = {
        column.name
        for column in own
        if column.path[0] not in documented and not any(column.path[0].startswith(prefix) for prefix in embedded)
    }
    assert wrong == ({"current_period_start", "current_period_end"} if resource == "subscription" else set())
