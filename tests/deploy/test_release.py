"""scripts/deploy.sh: a release that fails its smoke run is taken back. A script that keeps a log plays Docker."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCKER = """#!/bin/bash
echo "$TRIBUTARY_IMAGE_TAG: $*" >>"$LOG"
case "$*" in
  "compose pull"*) [ "$TRIBUTARY_IMAGE_TAG" != missing ] ;;
  *"dags trigger"*) printf '%s' "$*" | sed 's/.*--run-id \\([^ ]*\\).*/\\1/' >"$LOG.run" ;;
  *"list-runs"*"--state success"*) [ "$TRIBUTARY_IMAGE_TAG" = broken ] || cat "$LOG.run" ;;
  *"list-runs"*"--state failed"*) [ "$TRIBUTARY_IMAGE_TAG" != broken ] || cat "$LOG.run" ;;
esac
"""


GCLOUD = """#!/bin/bash
echo "ADMIN_PASSWORD=of $*"
"""


class Machine:
    """A folder like the one on the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        shutil.copy(ROOT / "scripts" / "deploy.sh", folder)
        (folder / "bin").mkdir()
        for name, text in (("docker", DOCKER), ("gcloud", GCLOUD)):
            program = folder / "bin" / name
            program.write_text(text)
            program.chmod(0o755)

    def deploy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "LOG": str(self.log), "SMOKE_SECONDS": "20"}
        command = ["bash", str(self.folder / "deploy.sh"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    @property
    def runs(self) -> str:
        """The image that was started last."""
        return [line.partition(":")[0] for line in self.log.read_text().splitlines() if "compose up" in line][-1]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_good_release_stays(machine: Machine):
    assert machine.deploy("release", "one").returncode == 0
    done = machine.deploy("release", "two")
    assert done.returncode == 0, done.stderr
    assert machine.runs == "two"
    assert (machine.folder / "former").read_text() == "one\n"


@pytest.mark.parametrize("tag", ["broken", "missing"])
def test_a_release_that_fails_is_taken_back(machine: Machine, tag: str):
    machine.deploy("release", "one")
    done = machine.deploy("release", tag)
    assert done.returncode == 1
    assert machine.runs == "one"
    assert (machine.folder / "current").read_text() == "one\n"
    assert "one runs again" in done.stderr


def test_the_first_release_has_nothing_to_go_back_to(machine: Machine):
    done = machine.deploy("release", "broken")
    assert done.returncode == 1
    assert "no former release" in done.stderr


def test_rolling_back_by_hand(machine: Machine):
    machine.deploy("release", "one")
    machine.deploy("release", "two")
    # The same release again must not become its own former one.
    machine.deploy("release", "two")
    assert machine.deploy("rollback").returncode == 0
    assert machine.runs == "one"


def test_a_boot_starts_what_was_released(machine: Machine):
    machine.deploy("release", "one")
    machine.log.unlink()
    assert machine.deploy("start").returncode == 0
    assert machine.runs == "one"


def test_settings_come_from_the_secret_and_are_nobody_elses_to_read(machine: Machine):
    (machine.folder / "secret").write_text("tributary-env\n")
    assert machine.deploy("release", "one").returncode == 0
    settings = machine.folder / ".env"
    assert "--secret=tributary-env" in settings.read_text()
    assert settings.stat().st_mode & 0o077 == 0
