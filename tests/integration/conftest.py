"""A simulated portal that a test may change: the others of the session share one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.services import SIMULATORS
from include.local.stack import start_stack
from tests.conftest import CUSTOMERS, variables
from tests.support.world import World


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
