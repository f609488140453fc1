"""Flattening landed pages into the lake: whole records, their further pages, and what is set aside."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.support.pipeline import Pipeline, bucket
from tributary.flatten.manifest import StagedManifest
from tributary.landing.lake import LineWriter, read_lines
from tributary.landing.manifest import LandingManifest, landing_folder
from tributary.sources.base import Page

pytestmark = [pytest.mark.emulators, pytest.mark.usefixtures("services")]

CREATED = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())
SYSTEM = {"_extracted_at", "_observed_at", "_window_start", "_window_end"}


def flatten(stream: str, pages: list[dict[str, Any]], records: int, children: int = 0) -> StagedManifest:
    """Land handmade pages and flatten them."""
    pipeline = Pipeline("hubspot" if stream == "deals" else "stripe", stream)
    now = datetime.now(UTC)
    item = pipeline.item("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    folder = landing_folder(item, f"handmade{now:%H%M%S%f}")
    writer = LineWriter(bucket(), f"{folder}/pages")
    for page in pages:
        body = msgspec.Raw(json.dumps(page.pop("body")).encode())
        writer.write(msgspec.json.encode(Page(observed_at=now, body=body, **page)))
    part = writer.close()
    assert part
    manifest = LandingManifest(
        extraction_id=folder,
        folder=folder,
        item=item,
        axis="created",
        axis_reason="test",
        observed_from=now,
        observed_to=now,
        api_version="test",
        contract_version=1,
        records=records,
        children=children,
        gone=0,
        parts=[part],
        requests={},
    )
    return pipeline.flatten(manifest)


def rows(manifest: StagedManifest, table: str) -> list[dict[str, Any]]:
    parts = manifest.rejects if table == "rejects" else manifest.tables[table].parts
    return [json.loads(line) for part in parts for line in read_lines(bucket(), part.name)]


def line(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"il_{number}", "object": "line_item", "amount": number, "currency": "usd", **fields}


def invoice(number: int, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": f"in_{number}",
        "created": CREATED + number,
        "currency": "usd",
        "total": 5,
        "amount_paid": 5,
        "lines": {"object": "list", "data": list(lines), "has_more": True},
        **fields,
    }


def further(parent: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"body": {"data": list(lines)}, "items": "data", "child": "invoice_lines", "parent": parent}


def listed(*records: dict[str, Any]) -> dict[str, Any]:
    return {"body": {"data": list(records)}, "items": "data"}


def test_a_broken_item_on_a_further_page_rejects_its_record_and_no_other():
    pages = [
        listed(invoice(1, line(10)), invoice(2, line(20)), invoice(3, line(30))),
        further("in_1", line(11), line(12)),
        further("in_2", line(21)),
        further("in_2", line(22), line(23, amount=None)),
        further("in_2", line(24)),
        further("in_3", line(31)),
    ]
    manifest = flatten("invoices", pages, records=3, children=7)
    assert [row["id"] for row in rows(manifest, "stripe_invoices")] == ["in_1", "in_3"]
    assert [row["id"] for row in rows(manifest, "stripe_invoice_lines")] == [
        "il_10",
        "il_30",
        "il_11",
        "il_12",
        "il_31",
    ]
    [reject] = rows(manifest, "rejects")
    assert (reject["record_key"], reject["reason"], reject["column_path"]) == ("in_2", "missing", "amount")
    assert (reject["landing_line"], reject["landing_item"]) == (1, 2)
    lines = manifest.tables["stripe_invoice_lines"]
    assert (lines.rows, lines.rejected, manifest.received, manifest.rejected) == (5, 5, 3, 1)


def test_a_page_with_a_surprise_is_staged_like_one_without():
    """The same records beside one with an unknown field, beside one with another type, and alone: the same rows."""
    plain = [invoice(1, line(10)), invoice(2, line(20, metadata={"a": 1.50}))]
    odd = [invoice(3, line(30, unheard_of=1)), invoice(4, total="many"), invoice(5, created=None)]
    alone = flatten("invoices", [listed(*plain)], records=2)
    mixed = flatten("invoices", [listed(*plain, *odd)], records=5)
    assert (mixed.rejected, len(mixed.drift)) == (2, 1)
    for table in ("stripe_invoices", "stripe_invoice_lines"):
        expected = [{k: v for k, v in row.items() if k not in SYSTEM} for row in rows(alone, table)]
        found = [{k: v for k, v in row.items() if k not in SYSTEM} for row in rows(mixed, table)]
        assert found[: len(expected)] == expected
        assert len(expected) == 2


def test_associations_belong_to_the_deals_of_the_page_before():
    deal = {"createdAt": "2026-01-02T00:00:00.000Z", "archived": False}
    results = [{"id": "1", "properties": {"amount": "10.50"}, **deal}, {"id": "2", "properties": {}, **deal}]
    edges = [
        {"from": {"id": "2"}, "to": [{"toObjectId": 7, "associationTypes": [{"typeId": 3}]}]},
        {"from": {"id": "1"}, "to": [{"toObjectId": 8, "associationTypes": []}, {"toObjectId": 9, "newer": True}]},
    ]
    page = {"body": {"results": edges}, "items": "results", "child": "deal_contacts", "associations": True}
    manifest = flatten("deals", [{"body": {"results": results}, "items": "results"}, page], records=2, children=3)
    found = [(row["deal_id"], row["contact_id"], row.get("_extra")) for row in rows(manifest, "hubspot_deal_contacts")]
    assert found == [("2", "7", None), ("1", "8", None), ("1", "9", {"newer": True})]
    assert [(d.table, d.path, d.records) for d in manifest.drift] == [("hubspot_deal_contacts", "newer", 1)]


def test_a_list_that_became_something_else_rejects_the_record():
    """Its rows would be lost without a word."""
    wrongs: list[Any] = ["none", {"object": "list"}, {"data": {}}]
    for wrong in wrongs:
        manifest = flatten("invoices", [listed(invoice(1, line(10)), invoice(2, lines=wrong))], records=2)
        [reject] = rows(manifest, "rejects")
        assert (reject["record_key"], reject["reason"], reject["column_path"]) == ("in_2", "type", "lines")
        assert manifest.tables["stripe_invoice_lines"].rows == 1
