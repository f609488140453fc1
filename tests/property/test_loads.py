"""Raw equals the source after whatever happened. TRIBUTARY_PROPERTY_SEQUENCES=500 is the nightly setting."""

import os
import sys
import time
from contextlib import redirect_stdout

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine import LoadMachine

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(0)]

SEQUENCES = int(os.environ.get("TRIBUTARY_PROPERTY_SEQUENCES", "4"))
SEED = int(os.environ.get("TRIBUTARY_PROPERTY_SEED", "1"))
STEPS = 40
#: Beyond this, what remains of a small number of sequences is left out; a large number is run to its end.
SECONDS = float(os.environ.get("TRIBUTARY_PROPERTY_SECONDS", "75"))


def test_raw_is_the_source_whatever_happens(machine: type[LoadMachine], capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    machine.deadline = begun + SECONDS if SEQUENCES <= 10 else float("inf")
    chosen = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if os.environ.get("TRIBUTARY_PROPERTY_SHRINK") else [])],
        verbosity=Verbosity.normal,
    )
    try:
        run_state_machine_as_test(seed(SEED)(machine), settings=chosen)
    finally:
        # To the stream that several test processes share.
        with capsys.disabled(), redirect_stdout(sys.stderr):
            print(f"\n{len(machine.lengths)} sequences of {machine.lengths} steps, {time.monotonic() - begun:.0f} s")
            print(", ".join(f"{name} {count}" for name, count in machine.frequencies.most_common()))
            print(f"transactions cancelled: {len(machine.proxy.conflicts.cancelled)}")
