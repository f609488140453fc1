"""Objects in the lake that are not what was written, or were by another contract: nothing of them is loaded."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.test_load import Invoices, invoice, totals
from tests.support.contracts import changed
from tests.support.pipeline import bucket, empty, warehouse
from tributary.errors import RefusedError
from tributary.hooks.warehouse import WarehouseHook

pytestmark = pytest.mark.emulators


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def alter(data: bytes) -> bytes:
    """Another amount, in as many bytes: nothing but the checksum tells."""
    changed = gzip.compress(gzip.decompress(data).replace(b"1000", b"9000"), mtime=0)
    return changed.ljust(len(data), b"\0")[: len(data)] if len(changed) <= len(data) else changed


def spoil(name: str, how: Callable[[bytes], bytes] | None) -> None:
    blob = bucket().blob(name)
    if how is None:
        blob.delete()
        return
    data = how(blob.download_as_bytes(raw_download=True))
    blob.upload_from_string(data, content_type="application/gzip")


SPOILT: dict[str, tuple[Callable[[bytes], bytes] | None, str]] = {
    "cut off": (cut, r"has \d+ bytes, expected \d+"),
    "altered": (alter, r"has (the checksum|\d+ bytes)"),
    "deleted": (None, "is gone"),
}


@pytest.fixture
def invoices(services: dict[str, str]) -> Invoices:
    empty("stripe_invoices", "stripe_invoice_lines")
    invoices = Invoices()
    invoices.load(invoice(1, total=500))
    return invoices


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("table", ["stripe_invoices", "stripe_invoice_lines"])
def test_a_staged_object(invoices: Invoices, how: str, table: str) -> None:
    manifest = invoices.pipeline.flatten(invoices.land(invoice(1), invoice(2)))
    name = manifest.tables[table].parts[0].name
    change, said = SPOILT[how]
    spoil(name, change)
    with pytest.raises(RefusedError, match=rf"gs://[^ ]+/{name} {said}.*; nothing was loaded. Clear the flatten task"):
        invoices.pipeline.stage(manifest)
    assert totals() == {"in_1": 500}


@pytest.mark.parametrize("how", SPOILT)
def test_a_landed_object(invoices: Invoices, how: str) -> None:
    landing: Any = invoices.land(invoice(1), invoice(2))
    change, said = SPOILT[how]
    spoil(landing.parts[0].name, change)
    with pytest.raises(RefusedError, match=rf"pages-00001.ndjson.gz {said}.* Clear the extract task"):
        invoices.pipeline.flatten(landing)


def loses(suffix: str) -> Callable[..., int]:
    """A load job into tables of that suffix after which the rows are gone."""
    load = WarehouseHook.load

    def loading(self: WarehouseHook, uris: Any, table: str, *args: Any, **kwargs: Any) -> int:
        rows = load(self, uris, table, *args, **kwargs)
        if not table.endswith(suffix):
            return rows
        self.query(f"delete from `{self.project}.{table}` where true", {})
        return int(self.query(f"select count(*) as n from `{self.project}.{table}`", {})[0]["n"])

    return loading


def test_rejects_are_counted_as_rows_are(invoices: Invoices, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = invoices.pipeline.flatten(invoices.land(invoice(1), invoice(2, created=None)))
    monkeypatch.setattr(WarehouseHook, "load", loses("_rejects"))
    said = r"rejects of stripe.invoices for client acme, \[2026-.*brought 0 rows, expected 1; nothing was loaded. Clear"
    with pytest.raises(RefusedError, match=said):
        invoices.pipeline.stage(manifest)


@pytest.mark.parametrize(("rules", "extra"), [({"email": "hash"}, "clear"), ({}, "drop")], ids=["columns", "_extra"])
def test_rows_by_other_rules_for_personal_data(
    invoices: Invoices, tmp_path: Path, rules: dict[str, str], extra: str
) -> None:
    """Released between two steps: whichever comes next, it refuses, and `flatten` begins again."""
    then, now = tmp_path / "then", tmp_path / "now"
    for folder in (then, now):
        folder.mkdir()
    (now / "personal_data.yml").write_text(yaml.safe_dump(rules))
    invoices.pipeline.contract = changed(then)
    landing = invoices.land(invoice(1, novel="Jane"))
    manifest = invoices.pipeline.flatten(landing)
    staged = invoices.pipeline.stage(manifest)
    invoices.pipeline.contract = changed(now, extra=extra)
    said = "flattened under another contract .*or other rules for personal data; nothing was loaded. Clear the flatten"
    with pytest.raises(RefusedError, match=said):
        invoices.pipeline.stage(manifest)
    with pytest.raises(RefusedError, match=said):
        invoices.pipeline.replace([(staged, manifest)])
    assert totals() == {"in_1": 500}
    invoices.pipeline.load(landing)
    [row] = warehouse().query("select customer_email, to_json_string(_extra) as e from raw.stripe_invoices", {})
    assert (row["e"] is None) == (extra == "drop")
    assert (row["customer_email"] == "someone@example.test") == (not rules)
