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
    base = tmp_path_factory.mktemp("property")
    with (
        start_stack(EMULATORS, base_dir=base) as environment,
        bigquery_proxy(environment["BIGQUERY_EMULATOR_HOST"]) as (address, proxy),
        Simulators().running() as simulators,
        variables(environment | {"BIGQUERY_EMULATOR_HOST": address} | simulators.environment()),
        pytest.MonkeyPatch.context() as patch,
    ):
        for module in ("api.client", "landing.extract"):
            patch.setattr(f"tributary.{module}.datetime", Clock)
        LoadMachine.simulators, LoadMachine.proxy = simulators, proxy
        yield LoadMachine
