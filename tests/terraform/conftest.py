"""Real Terraform over a copy of the configuration, with providers' schemas served from this machine."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

Terraform = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A copy of `terraform/` that a test may change, with the declarations that it reads beside it."""
    for part in ("terraform", "include/contracts"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(ROOT / "include" / "clients.yml", tmp_path / "include")
    return tmp_path / "terraform"


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    """Terraform without its registry; CI runs the same commands with it."""
    places = [parent / "shared" / "tools" / "terraform-offline" / "tf-offline" for parent in ROOT.parents]
    offline = next((place for place in places if place.exists()), None)
    if offline is None or not shutil.which("terraform"):
        pytest.skip("needs terraform and providers that can be had offline")

    def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(offline), "--root", str(directory.parent), str(directory), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=180)

    return run
