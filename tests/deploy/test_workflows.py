"""The workflows: valid, safe by zizmor's judgement, and no more permissions than each job needs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHECKS = next(file for file in FILES if yaml.safe_load(file.read_text())["name"] == "checks")
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


def test_a_pull_request_that_breaks_a_contract_under_its_version_fails(tmp_path: Path):
    """The step as the workflow has it, in a repository whose base is the commit before."""
    [step] = [s for s in workflow(CHECKS)["jobs"]["lint"]["steps"] if "contracts.diff" in s.get("run", "")]
    assert step["if"] == "github.event_name == 'pull_request'"
    assert step["env"] == {"BASE": "${{ github.event.pull_request.base.sha }}", "PYTHONPATH": "plugins"}
    for folder in ("plugins/tributary", "include/contracts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.test"]
    for command in (["init", "-q"], ["add", "plugins", "include"], ["commit", "-qm", "base"]):
        subprocess.run([*git, *command], check=True)
    base = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    file = tmp_path / "include" / "contracts" / "stripe" / "invoices.yml"
    text = file.read_text()
    version = int(re.search(r"^version: (\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]

    def outcome(now: str) -> "subprocess.CompletedProcess[str]":
        file.write_text(now)
        variables = {"PATH": os.environ["PATH"], "BASE": base, "PYTHONPATH": "plugins"}
        shell = ["bash", "-e", "-c", step["run"]]
        return subprocess.run(shell, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120)

    broken = text.replace("{name: total, type: INT64", "{name: total, type: STRING")
    assert broken != text
    refused = outcome(broken)
    assert refused.returncode == 1, refused.stderr
    assert f"stripe_invoices.total: type INT64 is now STRING; raise its version to {version + 1}" in refused.stderr
    assert outcome(broken.replace(f"version: {version}", f"version: {version + 1}")).returncode == 0
    assert outcome(text).returncode == 0


def test_commands_of_this_repository_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in FILES:
        text = file.read_text()
        assert set(re.findall(r"run: make (\w+)", text)) <= targets
        for script in re.findall(r"(scripts/\w+\.\w+|\.ci/run)", text):
            assert (ROOT / script).exists(), script
