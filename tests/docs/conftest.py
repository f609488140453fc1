"""A stack of its own with a real Airflow, for as long as the runbooks are followed: they break it."""

import shutil
from collections.abc import Iterator

import pytest

from local.airflow import home
from local.demo.plan import DAGS
from local.services import EVERYTHING
from local.settings import on_free_ports
from local.stack import start_stack
from tests.conftest import CUSTOMERS, ROOT, variables
from tests.support.airflow import Airflow
from tests.support.world import World


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """An Airflow on whose warehouse something has been loaded already."""
    settings = on_free_ports(tmp_path_factory.mktemp("runbooks"), world_customers=CUSTOMERS)
    # One of them breaks a contract.
    include = tmp_path_factory.mktemp("declarations") / "include"
    for name in ("contracts", "sql"):
        shutil.copytree(ROOT / "include" / name, include / name)
    shutil.copy(ROOT / "include" / "clients.yml", include)
    with (
        variables({"TRIBUTARY_INCLUDE_DIR": str(include)}),
        start_stack(EVERYTHING, base_dir=settings.home, settings=settings) as environment,
        variables(environment),
    ):
        airflow = Airflow(environment, home.password(settings.airflow_home))
        airflow.wait_for_dags(DAGS, 120)
        window = {"window_start": "2024-07-01", "window_end": "2026-01-02"}
        airflow.start("ingest_stripe", "history", None, streams=["products"], **window)
        airflow.wait("ingest_stripe", "history")
        yield airflow


@pytest.fixture
def company(stack: Airflow) -> World:
    """The simulated company behind it, its clock at the start of the demo and no fault in sight."""
    world = World.of(stack.environment)
    world.reset()
    return world
