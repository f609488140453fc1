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

from local.services import EMULATORS, SIMULATORS  # noqa: E402
from local.stack import start_stack  # noqa: E402
from tests.support.world import World  # noqa: E402

# A test run that is ended by its time limit stops its services too, as one that is interrupted does.
signal.signal(signal.SIGTERM, signal.default_int_handler)

CUSTOMERS = 25
"""Customers of the small world; big enough to hold every kind of mess."""


#: Folders in the order in which they are handed out: the longest first, so that no process is left alone with one.
#: The two with an Airflow of their own don't begin side by side. All others come behind, as they are collected.
LONGEST = ("e2e", "dbt", "docs", "local", "property", "integration", "simulators")
#: Their modules share what takes minutes to make: an Airflow with all that it has loaded, a warehouse that is built.
TOGETHER = ("e2e", "dbt")
#: Of these a module that makes its own.
APART = ("tests/dbt/test_rebuild.py", "tests/dbt/test_contract_coverage.py", "tests/dbt/test_documentation.py")


def scope_of(nodeid: str) -> str:
    """What one process runs as a whole: a folder that shares a warehouse, else a module."""
    module = nodeid.partition("::")[0]
    folder = module.split("/")[1]
    return folder if folder in TOGETHER and module not in APART else module


class Scopes(LoadScopeScheduling):
    """Hands out the scopes in the order in which their tests were collected, and no test twice."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scopes:
    """What `pytest -n` goes by."""
    # By default the scopes with the most tests come first, which are the ones with the shortest.
    config.option.loadscopereorder = False
    return Scopes(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the processes of `pytest -n`: sort the tests as they are to be handed out."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> tuple[int, bool]:
    folder = nodeid.split("/")[1]
    # What shares a warehouse before the modules of that folder that don't: a scope is where its first test is.
    return (LONGEST.index(folder) if folder in LONGEST else len(LONGEST), scope_of(nodeid) != folder)


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
