"""A new Stripe collection is one YAML file: mutable, with a nested list that is paged, with a deletion."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulators.test_control import QUOTES
from tests.support.airflow import airflow_cli
from tests.support.pipeline import query
from tests.support.world import World

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(300)]

CONTRACT = """
source: stripe
stream: quotes
version: 1
owner: billing-data
description: One row per quote that was offered to a customer.
freshness: 26h
key: [id]
time: {created: created}
daily: changed
lookback: 1d
request:
  path: /v1/quotes
  events: [quote.created, quote.updated, quote.deleted]
  deleted: [quote.deleted]
columns:
  - {name: id, type: STRING, description: "Stripe's permanent id (qt_…)."}
  - {name: created, type: TIMESTAMP, required: true, description: "When the quote was drafted."}
  - {name: customer_id, type: STRING, path: customer, as: id, description: "Customer who was offered it."}
  - {name: status, type: STRING, description: "draft, open, accepted or canceled."}
known: [object, livemode, metadata]
children:
  - stream: quote_lines
    description: One row per line of a quote.
    path: line_items
    follow: true
    key: [quote_id, id]
    inherit: {quote_id: id, customer_id: customer_id}
    columns:
      - {name: id, type: STRING, description: "Stripe's permanent id (li_…)."}
      - {name: amount, type: INT64, unit: minor, description: "What the line bills."}
    known: [object]
"""
CREATED = 1_767_400_000  # 2026-01-03


@pytest.fixture
def quotes_too(include: Path) -> Path:
    """The declarations of this repository, and one contract more."""
    (include / "contracts" / "stripe" / "quotes.yml").write_text(CONTRACT)
    return include


def put(world: World, number: int, lines: int, **fields: Any) -> None:
    items = [{"id": f"li_{number}_{line}", "object": "item", "amount": line} for line in range(lines)]
    quote = {"status": "draft", "customer": "cus_x", "line_items": items, "created": CREATED + number, **fields}
    url = f"{world.stripe}/_sim/objects/quotes/qt_{number}"
    requests.put(url, json=quote, timeout=10).raise_for_status()


def quotes() -> dict[str, tuple[str, int, bool]]:
    """Status, number of live lines, and whether it is a tombstone, by id."""
    rows = query(
        "select q.id, q.status, q._deleted_at is not null as gone, countif(l.id is not null) as n "
        "from raw.stripe_quotes q left join raw.stripe_quote_lines l on l.quote_id = q.id and l._deleted_at is null "
        "and l.client_id = q.client_id and l.customer_id = q.customer_id group by 1, 2, 3"
    )
    return {row["id"]: (row["status"], row["n"], row["gone"]) for row in rows}


def test_one_file_is_all_it_takes(alone: dict[str, str], world: World, quotes_too: Path) -> None:
    requests.put(f"{world.stripe}/_sim/collections/quotes", json=QUOTES, timeout=10).raise_for_status()
    for number, lines in enumerate((0, 11, 120)):
        put(world, number, lines)
    environment = {**alone, "TRIBUTARY_INCLUDE_DIR": str(quotes_too)}

    def run(start: str, end: str, *, fails: bool = False) -> str:
        conf = json.dumps({"streams": ["quotes"], "window_start": start, "window_end": end})
        command = ("dags", "test", "ingest_stripe", "2025-01-08T12:00:00", "--conf", conf)
        return airflow_cli(environment, *command, fails=fails)

    run("2024-07-01", "2026-01-04")
    assert quotes() == {"qt_0": ("draft", 0, False), "qt_1": ("draft", 11, False), "qt_2": ("draft", 120, False)}
    world.clock("2026-01-05T06:00:00Z")
    world.change("stripe", "quotes", "qt_1", status="open")
    world.delete("stripe", "quotes", "qt_2")
    put(world, 3, 101, created=CREATED + 2 * 86_400)
    world.clock("2026-01-06T06:00:00Z")
    run("2026-01-05", "2026-01-06")
    assert quotes() == {
        "qt_0": ("draft", 0, False),
        "qt_1": ("open", 11, False),
        "qt_2": ("draft", 0, True),
        "qt_3": ("draft", 101, False),
    }
    axes = query("select distinct axis from ops.ledger where table_name = 'stripe_quotes' order by 1")
    assert [row["axis"] for row in axes] == ["changed", "created"]
    _the_contract_changes(world, quotes_too / "contracts" / "stripe" / "quotes.yml", run)


def _the_contract_changes(world: World, file: Path, run: Any) -> None:
    """The same stream in each of the modes: a column is gained, then the source drifts away from it."""
    world.change("stripe", "quotes", "qt_1", bonus="1,012.50", novel=None)
    run("2026-01-06", "2026-01-07")
    gained = '  - {name: bonus, type: NUMERIC, description: "What the seller gets for it."}\nknown: [novel, '
    text = CONTRACT.replace("version: 1", "version: 2").replace("known: [", gained, 1)
    file.write_text(text)
    world.change("stripe", "quotes", "qt_3", status="open")
    run("2026-01-06", "2026-01-07")
    told = "select id, cast(bonus as float64) as bonus from raw.stripe_quotes where bonus is not null"
    assert query(told) == [{"id": "qt_1", "bonus": 1012.5}]
    world.change("stripe", "quotes", "qt_3", status="accepted")
    world.change("stripe", "quotes", "qt_0", status="open", strange=1)
    file.write_text(f"mode: freeze\n{text}")
    said = run("2026-01-06", "2026-01-07", fails=True)
    assert "the contract is frozen, but stripe_quotes.strange (unknown) drifted; nothing was loaded" in said
    assert {id_: status for id_, (status, _, _) in quotes().items() if id_ in ("qt_0", "qt_3")} == {
        "qt_0": "draft",
        "qt_3": "open",
    }
    file.write_text(f"mode: quarantine\n{text}")
    run("2026-01-06", "2026-01-07")
    assert {id_: status for id_, (status, _, _) in quotes().items() if id_ in ("qt_0", "qt_3")} == {
        "qt_0": "draft",
        "qt_3": "accepted",
    }
    assert query("select record_key, reason, column_path from ops.rejects where table_name = 'stripe_quotes'") == [
        {"record_key": "qt_0", "reason": "drift", "column_path": "strange"}
    ]
