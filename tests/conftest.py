"""Real services for the tests: emulators, simulators and Airflow, each started at most once, on free ports."""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Airflow reads these when it is imported first, so they stand before everything else.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="tributary-tests-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(ROOT / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
os.environ["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] = "False"
os.environ["AIRFLOW__COSMOS__CACHE_DIR"] = f"{os.environ['AIRFLOW_HOME']}/dbt-cache"

import pytest  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: E402

from include.local.services import EMULATORS, SIMULATORS  # noqa: E402
from include.local.stack import start_stack  # noqa: E402
from tests.support.world import World  # noqa: E402

# A test run that is ended by its time limit stops its services too, as one that is interrupted does.
signal.signal(signal.SIGTERM, signal.default_int_handler)

CUSTOMERS = 25
"""Customers of the small world; big enough to hold every kind of mess."""


class Folders(LoadScopeScheduling):
    """The tests of a folder share services and worlds, so one process runs them; another one may run other folders."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Folders:
    """What `pytest -n` goes by."""
    return Folders(config, log)


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for as long as it lasts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Emulators and simulators without Airflow; the process's environment points at them."""
    base: Path = tmp_path_factory.mktemp("services")
    names = (*EMULATORS, *SIMULATORS)
    with start_stack(names, base_dir=base, world_customers=CUSTOMERS) as environment, variables(environment):
        yield environment


@pytest.fixture
def world(services: dict[str, str]) -> World:
    """The simulated company, its clock at the start of the demo and no fault in sight."""
    world = World.of(services)
    world.reset()
    return world
