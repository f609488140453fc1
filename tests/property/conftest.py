"""A stack of its own for the sequences: emulators behind the proxy, simulators in this process."""

import logging
from collections.abc import Iterator

import pytest

from include.local.services import EMULATORS
from include.local.stack import start_stack
from tests.conftest import variables
from tests.property.company import Clock, Simulators
from tests.property.machine import LoadMachine
from tests.support.bigquery import bigquery_proxy


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[LoadMachine]]:
    """The machine, with everything that its sequences need."""
    logging.getLogger("tributary").setLevel(logging.ERROR)
    with start_stack(EMULATORS, base_dir=tmp_path_factory.mktemp("property")) as environment, variables(environment):
        with bigquery_proxy(environment["BIGQUERY_EMULATOR_HOST"]) as (address, proxy), Simulators().running() as sims:
            with (
                variables({"BIGQUERY_EMULATOR_HOST": address} | sims.environment()),
                pytest.MonkeyPatch.context() as patch,
            ):
                for module in ("api.client", "landing.extract"):
                    patch.setattr(f"tributary.{module}.datetime", Clock)
                LoadMachine.simulators, LoadMachine.proxy = sims, proxy
                yield LoadMachine
