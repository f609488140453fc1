"""Objects in the lake that are not what was written: nothing of them is loaded."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.test_load import Invoices, invoice, totals
from tests.support.pipeline import bucket, empty
from tributary.errors import RefusedError

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
