"""Rows that BigQuery's load job refuses: their records are rejects, and the others are loaded."""

from typing import Any

import pytest

from tests.integration.test_load import Invoices, invoice, totals
from tests.support.bigquery import BigQueryProxy
from tests.support.pipeline import empty, query
from tributary.errors import RefusedError

pytestmark = pytest.mark.emulators


@pytest.fixture
def invoices(services: dict[str, str]) -> Invoices:
    empty("stripe_invoices", "stripe_invoice_lines", "stripe_invoice_discounts")
    return Invoices()


@pytest.fixture
def refusing(proxy: BigQueryProxy) -> BigQueryProxy:
    proxy.refuses = lambda line: b"beyond" in line
    return proxy


def rejects(invoices: Invoices) -> list[tuple[Any, ...]]:
    rows = query(
        "select record_key, reason, column_path, landing_item, detail from ops.rejects "
        f"where extraction_id = '{invoices.last}' order by landing_item"
    )
    return [tuple(row.values()) for row in rows]


def with_line(number: int, text: str) -> dict[str, Any]:
    record = invoice(number, total=7)
    record["lines"]["data"][1]["description"] = text
    return record


def test_a_refused_record_is_a_reject_and_blocks_nothing(invoices: Invoices, refusing: BigQueryProxy) -> None:
    """Refused for a field of its own or of one of its lines; with its last good row, its lines and all."""
    invoices.load(invoice(1), invoice(2), invoice(3))
    counts = invoices.load(
        invoice(1, total=5), invoice(2, total=7, metadata={"k": "beyond"}), with_line(3, "beyond"), invoice(4)
    )
    assert counts == {"received": 4, "loaded": 2, "rejected": 2}
    assert totals() == {"in_1": 5, "in_2": 1000, "in_3": 1000, "in_4": 1000}
    assert query("select count(*) as n from raw.stripe_invoice_lines where _deleted_at is null") == [{"n": 8}]
    said = "Could not convert value to float. Field: metadata; Value: …"
    assert rejects(invoices) == [
        ("in_2", "refused", "stripe_invoices", 2, said),
        ("in_3", "refused", "stripe_invoice_lines", 3, said),
    ]
    assert refusing.refused == 2
    # Mended at the source, it is loaded as any other.
    assert invoices.load(*(invoice(number, total=9) for number in range(1, 5))) == {"received": 4, "loaded": 4}


def test_of_many_refused_rows_only_some_are_named(invoices: Invoices, refusing: BigQueryProxy) -> None:
    refusing.names_refused = 2
    records = [invoice(number, metadata={"k": "beyond" if number % 3 == 0 else "in"}) for number in range(1, 25)]
    assert invoices.load(*records) == {"received": 24, "loaded": 16, "rejected": 8}
    assert [row[0] for row in rejects(invoices)] == [f"in_{number}" for number in range(3, 25, 3)]
    assert refusing.refused == 4


def test_more_refused_rows_than_the_limit_load_nothing(invoices: Invoices, refusing: BigQueryProxy) -> None:
    invoices.load(invoice(1))
    records = [invoice(number, metadata={"k": "beyond"}) for number in range(2, 30)]
    with pytest.raises(RefusedError, match=r"of 29 records break the contract.*stripe_invoices \(refused\)"):
        invoices.load(invoice(1, total=1), *records)
    assert totals() == {"in_1": 1000}


def test_a_refusal_that_is_about_no_record_says_so_without_a_value(invoices: Invoices, refusing: BigQueryProxy) -> None:
    landed = invoices.land(invoice(1), axis="changed", gone=("in_beyond",))
    with pytest.raises(RefusedError, match=r"stripe.invoices for client acme.* not for what a record holds") as caught:
        invoices.pipeline.load(landed)
    assert "beyond" not in str(caught.value)
    assert "…" in str(caught.value)
