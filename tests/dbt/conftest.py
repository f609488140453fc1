"""One emulator for all dbt tests that need a warehouse."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.settings import LocalSettings
from simulators.world.build import build
from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Row, Warehouse, emulator
from tests.dbt.world import (
    Loaded,
    books_of,
    day,
    hashed,
    history_and_two_days,
    loaded,
    with_a_refunded_link,
)
from tests.oracle import Books
from tests.oracle.economics import Given
from tests.oracle.identity import FREE_MAIL

#: Three companies in one warehouse (seed, customers); ids and addresses may well be the same.
WORLDS = {"acme": (42, 60), "zenith": (7, 25), "lumen": (22, 25)}
#: One of them closes its months in a timezone with daylight saving.
ZONES = {"acme": "UTC", "zenith": "America/New_York", "lumen": "UTC"}
#: A fourth client is one of them again, with its personal data hashed before it was staged.
OPEN, SEALED = "lumen", "sealed"
AS_OF = day(2026, 1, 6)
#: What people have entered by hand: one company knows its costs, one spent in a currency that nobody has a rate of.
GIVEN = {
    "acme": Given(
        costs=(
            (date(2024, 3, 15), "USD", Decimal("250")),  # nobody paid yet
            (date(2025, 4, 1), "USD", Decimal("1200.50")),
            (date(2025, 4, 30), "eur", Decimal("310.10")),
            (date(2025, 11, 15), "nok", Decimal("9000")),
            (date(2026, 1, 1), "usd", Decimal("77")),
        ),
        rates=(
            ("nok", date(2023, 12, 31), Decimal("0.0937")),
            ("nok", date(2025, 12, 1), Decimal("0.5")),
            ("eur", date(2025, 1, 1), Decimal("99")),
        ),
    ),
    "zenith": Given(
        costs=(
            (date(2025, 10, 1), "usd", Decimal("500")),
            (date(2025, 11, 1), "usd", Decimal("400")),
            (date(2025, 11, 1), "nok", Decimal("1")),
        )
    ),
    "lumen": Given(),
}


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """`dbt parse`: no warehouse is asked."""
    return run_dbt(["parse"], tmp_path_factory.mktemp("parse"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSettings]:
    settings = LocalSettings()
    if not (settings.emulators / "bin" / "python").exists():
        pytest.skip(f"no emulators in {settings.emulators}; `make setup` installs them")
    home: Path = tmp_path_factory.mktemp("dbt-warehouse")
    with emulator(home) as running:
        yield running


@pytest.fixture(scope="session")
def warehouse(stack: LocalSettings) -> Warehouse:
    """Raw tables as the contracts lay them out, empty at first."""
    warehouse = Warehouse(stack)
    warehouse.create()
    return warehouse


@pytest.fixture(scope="session")
def ledgers() -> dict[str, Books]:
    """Client -> the books of its company."""
    return {client: books_of(build(seed, customers)) for client, (seed, customers) in WORLDS.items()}


@pytest.fixture(scope="session")
def worlds(ledgers: dict[str, Books]) -> dict[str, Loaded]:
    """Client -> what the loads left in raw and raw_history."""
    simulated = {client: loaded(books, history_and_two_days(), client) for client, books in ledgers.items()}
    # what the simulated account doesn't do
    return {client: with_a_refunded_link(w, client) for client, w in simulated.items()}


@pytest.fixture(scope="session")
def built(warehouse: Warehouse, worlds: dict[str, Loaded], tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """`dbt build` over all worlds, with seeds that somebody has filled."""
    home = tmp_path_factory.mktemp("seed")
    assert run_dbt(["seed"], home, warehouse.settings).code == 0
    for client, given in GIVEN.items():
        for number, (month, currency, amount) in enumerate(given.costs):
            values = f"'{client}', date '{month}', 'channel {number}', '{currency}', numeric '{amount}'"
            warehouse.query(f"insert into staging.acquisition_costs values ({values})")
        for currency, since, rate in given.rates:
            values = f"'{client}', '{currency.upper()}', 'USD', date '{since}', numeric '{rate}'"
            warehouse.query(f"insert into staging.exchange_rates values ({values})")
    everybody = [*worlds.values(), hashed(worlds[OPEN], SEALED)]
    warehouse.load(_together(w.rows for w in everybody), _together(w.history for w in everybody))
    arguments = ["build", "--exclude-resource-type", "unit_test", "seed"]
    target = tmp_path_factory.mktemp("build")
    reporting = {client: {"timezone": zone} for client, zone in ZONES.items() if zone != "UTC"}
    variables: dict[str, Any] = {"reporting": reporting, "free_mail_domains": sorted(FREE_MAIL)}
    return run_dbt(arguments, target, warehouse.settings, as_of=AS_OF.isoformat(), **variables)


def _together(parts: Iterable[dict[str, list[Row]]]) -> dict[str, list[Row]]:
    """The tables of several clients as one warehouse has them."""
    tables: dict[str, list[Row]] = defaultdict(list)
    for part in parts:
        for name, rows in part.items():
            tables[name] += rows
    return tables
