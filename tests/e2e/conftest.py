"""One Airflow with emulators and simulators for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from local.airflow import home
from local.demo.plan import DAGS
from local.services import EVERYTHING
from local.settings import on_free_ports
from local.stack import start_stack
from tests.conftest import CUSTOMERS, variables
from tests.support.airflow import Airflow
from tests.support.world import World


@pytest.fixture(scope="package")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A real Airflow; for these tests the process's environment points at its stack, and afterwards no longer."""
    settings = on_free_ports(tmp_path_factory.mktemp("e2e"), world_customers=CUSTOMERS)
    with start_stack(EVERYTHING, base_dir=settings.home, settings=settings) as environment, variables(environment):
        api = Airflow(environment, home.password(settings.airflow_home))
        api.wait_for_dags(DAGS, 120)
        yield api


@pytest.fixture(scope="package")
def company(airflow: Airflow) -> World:
    """The simulated company behind that Airflow."""
    return World.of(airflow.environment)
