"""What integration tests share: an Airflow that runs nothing by itself; a world and a BigQuery of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.services import SIMULATORS
from local.stack import start_stack
from tests.conftest import CUSTOMERS, ROOT, variables
from tests.support.airflow import airflow_cli
from tests.support.bigquery import BigQueryProxy, bigquery_proxy
from tests.support.pipeline import bucket
from tests.support.world import World
from tributary.landing.lake import read_lines


@pytest.fixture(scope="session")
def alone(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a database and no scheduler, which would take the tasks of a test run."""
    home = tmp_path_factory.mktemp("alone")
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }
    airflow_cli(environment, "db", "migrate")
    return environment


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """A copy of this repository's declarations, for a test that changes them."""
    folder = tmp_path / "include"
    for name in ("contracts", "sql"):
        shutil.copytree(ROOT / "include" / name, folder / name)
    shutil.copy(ROOT / "include" / "clients.yml", folder)
    return folder


@pytest.fixture
def own_world(services: dict[str, str], tmp_path: Path) -> Iterator[World]:
    """Simulators of the test's own, on the session's emulators; the HubSpot connection leads to them."""
    with start_stack(SIMULATORS, base_dir=tmp_path, world_customers=CUSTOMERS) as environment:
        mine = {name: value for name, value in environment.items() if name.startswith("AIRFLOW_CONN_HUBSPOT")}
        mine |= {name: value for name, value in environment.items() if name.startswith("AIRFLOW_CONN_STRIPE")}
        with variables(mine):
            world = World.of(environment)
            world.reset()
            yield world


@pytest.fixture
def proxy(services: dict[str, str]) -> Iterator[BigQueryProxy]:
    """A BigQuery whose load jobs refuse the rows that `proxy.refuses` says."""
    with (
        bigquery_proxy(services["BIGQUERY_EMULATOR_HOST"]) as (address, proxy),
        variables({"BIGQUERY_EMULATOR_HOST": address}),
    ):
        lake = bucket()
        proxy.lines_of = lambda uri: read_lines(lake, uri.removeprefix(f"gs://{lake.name}/"))
        yield proxy
