"""A stack of its own for the sequences: emulators behind the proxy, simulators in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.services import EMULATORS
from local.stack import start_stack
from tests.conftest import variables
from tests.property.company import Clock, Simulators
from tests.property.machine import LoadMachine
from tests.support.bigquery import bigquery_proxy


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """A logger that says errors only, for as long as it lasts: tests that come after these look at warnings."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[LoadMachine]]:
    """The machine, with everything that its sequences need."""
    base = tmp_path_factory.mktemp("property")
    with (
        quiet("tributary"),
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
