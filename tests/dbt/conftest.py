"""One emulator for all dbt tests that need a warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.settings import LocalSettings
from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Warehouse, emulator


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
