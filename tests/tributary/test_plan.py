"""What a run will read, from contracts, clients and Params."""

from datetime import UTC, datetime

import pytest

from tributary.clients import load_clients
from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.plan import WorkItem, choose, plan
from tributary.windows import Window

DAY = Window(datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))


def planned(source="stripe", stream="invoices", **kwargs):
    return plan(load_contracts(source)[stream], load_clients(source), **{"window": DAY, **kwargs})


def test_a_window_is_widened_by_the_lookback_of_its_contract():
    item = WorkItem.from_dict(planned()[0])
    assert item.window == Window(datetime(2026, 1, 3, tzinfo=UTC), DAY.end)
    assert item.axis == "auto"


def test_a_collection_without_windows_is_read_whole():
    item = WorkItem.from_dict(planned("hubspot", "owners")[0])
    assert (item.axis, item.window.end) == ("whole", DAY.end)
    assert item.window.start == load_clients("hubspot")["acme"].since_at


def test_chunks_share_the_start_of_the_run():
    wide = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC))
    found = planned(window=wide, chunk_days=30)
    assert [item["window_start"][:10] for item in found] == ["2024-12-31", "2025-01-30"]
    assert {item["run_start"] for item in found} == {"2024-12-31T00:00:00Z"}


def test_choosing_nothing_is_choosing_all_in_declared_order():
    assert choose("stream", [], ["b", "a"]) == ["b", "a"]
    assert choose("stream", ["a"], ["b", "a"]) == ["a"]


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(RefusedError, match="unknown stream 'invoice'; this DAG has customers, invoices"):
        choose("stream", ["invoice"], ["customers", "invoices"])
