"""Which chunks are loaded together."""

from types import SimpleNamespace
from typing import Any

from tributary.landing.plan import MOST_CHUNKS
from tributary.operators.ingest.partition_replace import batches


def of(*clients: str) -> list[Any]:
    return [(None, SimpleNamespace(item=SimpleNamespace(client_id=client))) for client in clients]


def test_few_chunks_are_one_load():
    assert len(batches(of("acme", "zenith", "acme"))) == 1
    assert batches([]) == []


def test_many_are_several_and_no_client_is_torn_apart():
    chunks = of(*["acme", "zenith", "lumen"] * (MOST_CHUNKS // 2))
    found = [[manifest.item.client_id for _, manifest in batch] for batch in batches(chunks)]
    assert [set(batch) for batch in found] == [{"acme", "lumen"}, {"zenith"}]
    assert [len(batch) for batch in found] == [MOST_CHUNKS, MOST_CHUNKS // 2]
