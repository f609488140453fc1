"""The workflows: valid, safe by zizmor's judgement, and no more permissions than each job needs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent
WRITES = {("release", "mark", "contents")}
"""The only permission to write: it moves the tag of what is in production."""


def workflow(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_they_are_valid(schema: str):
    command = [str(TOOLS / "check-jsonschema"), "--builtin-schema", schema, *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing():
    command = [str(TOOLS / "zizmor"), "--offline", "--no-progress", str(ROOT / ".github")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_by_commit_with_the_version_beside_it():
    seen: dict[str, set[str]] = {}
    for file in FILES:
        for name, pin in re.findall(r"uses: ([^@\s]+)@(.+)", file.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{file.name}: {name}@{pin}"
            seen.setdefault(name, set()).add(pin)
    assert seen
    assert all(len(pins) == 1 for pins in seen.values()), "one version of each action"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_permissions_are_given_by_job(file: Path):
    content = workflow(file)
    assert content["permissions"] == {}, "the default is none"
    for name, job in content["jobs"].items():
        for permission, access in job["permissions"].items():
            if access == "write" and permission != "id-token":
                assert (file.stem, name, permission) in WRITES
        # Only who borrows an identity of Google Cloud may ask for the token that proves who it is.
        assert ("id-token" in job["permissions"]) == ("google-github-actions/auth" in str(job["steps"])), name


def test_production_is_changed_behind_an_approval_only():
    for file in FILES:
        for name, job in workflow(file)["jobs"].items():
            changes = "terraform apply" in str(job["steps"]) or "deploy.sh" in str(job["steps"])
            assert not changes or job.get("environment") == name, f"{file.stem}: {name}"
            assert not changes or name == "dev" or job["needs"] == "dev", "dev comes first"


def test_pull_requests_reach_no_production_data():
    text = (ROOT / ".github" / "workflows" / "dbt.yml").read_text()
    assert "PROD" not in text
    assert "pull_request_target" not in "".join(file.read_text() for file in FILES)


def test_commands_of_this_repository_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in FILES:
        text = file.read_text()
        assert set(re.findall(r"run: make (\w+)", text)) <= targets
        for script in re.findall(r"(scripts/\w+\.\w+|\.ci/run)", text):
            assert (ROOT / script).exists(), script
