"""The configuration is valid, does what its own tests say, and those tests notice a grant too many."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.terraform.conftest import Terraform

TERRAFORM = ROOT / "terraform"
MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir())


def test_it_is_valid(terraform: Terraform, configuration: Path):
    done = terraform(configuration, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_tests_pass(terraform: Terraform, configuration: Path):
    done = terraform(configuration, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed, 0 failed", done.stdout)


@pytest.mark.parametrize(
    ("file", "list_of", "added", "grant"),
    [
        ("warehouse", 'readers = concat(["dbt", "watcher"', '"airflow"', "airflow | READER | dataset ops"),
        ("identity", 'watcher = ["roles/bigquery.jobUser"', '"roles/viewer"', "watcher | roles/viewer | project"),
        ("lake", '["serviceAccount:${var.ingest}"', '"allUsers"', "allUsers | roles/storage.objectAdmin | bucket lake"),
    ],
)
def test_one_grant_too_many_is_noticed(
    terraform: Terraform, configuration: Path, file: str, list_of: str, added: str, grant: str
):
    path = configuration / "modules" / file / "main.tf"
    before = path.read_text()
    assert list_of in before
    path.write_text(before.replace(list_of, f"{list_of}, {added}"))
    done = terraform(configuration, "test", "-no-color", "-filter=tests/grants.tftest.hcl")
    assert done.returncode != 0
    assert grant in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.name))
def test_every_grant_is_in_the_list_of_grants(module: Path):
    """Otherwise the list that the tests compare would be incomplete."""
    text = "\n".join(file.read_text() for file in sorted(module.glob("*.tf")))
    resources = re.findall(r'^resource "(\w+_iam_(?:member|binding|policy|custom_role))" "(\w+)"', text, re.MULTILINE)
    resources += re.findall(r'^resource "(google_bigquery_dataset)" "(\w+)"', text, re.MULTILINE)
    outputs = (module / "outputs.tf").read_text()
    for kind, name in resources:
        assert f"{kind}.{name}" in outputs.partition('output "grants"')[2], f"{kind}.{name} is in no list"


def test_no_account_has_a_key():
    text = "\n".join(file.read_text() for file in TERRAFORM.rglob("*.tf"))
    assert "google_service_account_key" not in text
    assert "secret_data" not in text, "a secret's value would lie in the state"


def test_it_is_formatted():
    if not shutil.which("terraform"):
        pytest.skip("needs terraform")
    done = subprocess.run(["terraform", "fmt", "-check", "-recursive", str(TERRAFORM)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_alert_has_its_runbook():
    text = (TERRAFORM / "modules" / "monitoring" / "checks.tf").read_text()
    text += (TERRAFORM / "modules" / "monitoring" / "alerts.tf").read_text()
    runbooks = set(re.findall(r'runbook = "([\w-]+\.md)"', text))
    assert runbooks
    for runbook in runbooks:
        assert (ROOT / "docs" / "runbooks" / runbook).exists(), runbook
