"""What a pull request's build does: only what changed, into datasets of its own, the rest left where it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.pipeline import warehouse

pytestmark = pytest.mark.emulators
PREFIX = "pr_7_"


def slim(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "dbt_slim.py"), *arguments]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=300)


@pytest.fixture
def changed(tmp_path: Path, services: dict[str, str]) -> Path:
    """The committed project with one changed model, and the warehouse as the committed one leaves it."""
    from tributary.contracts.loader import load_all
    from tributary.warehouse.tables import ensure_tables, migrate

    archive = subprocess.run(["git", "archive", "HEAD", "dbt"], cwd=ROOT, stdout=subprocess.PIPE)
    if archive.returncode or not shutil.which("tar"):
        pytest.skip("needs a git checkout")
    subprocess.run(["tar", "--extract", "--directory", str(tmp_path)], input=archive.stdout, check=True)
    project = tmp_path / "dbt"
    migrate(warehouse(), {})
    for contracts in load_all().values():
        for contract in contracts.values():
            ensure_tables(warehouse(), contract, {"dag": "test"})
    options = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(tmp_path / "target")]
    dbt = str(Path(sys.executable).with_name("dbt"))
    command = [dbt, "--quiet", "build", "--exclude-resource-type", "test", "unit_test", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    model = project / "models" / "mart" / "customer_lifetime_value.sql"
    model.write_text(model.read_text() + "\n-- changed\n")
    return project


def datasets() -> dict[str, set[str]]:
    client = warehouse().client
    found = {}
    for dataset in client.list_datasets():
        if dataset.dataset_id.startswith(PREFIX):
            found[dataset.dataset_id] = {table.table_id for table in client.list_tables(dataset.reference)}
    return found


@pytest.mark.timeout(400)
def test_only_what_changed_is_built_and_then_dropped(changed: Path):
    done = slim("build", "--prefix", PREFIX, "--since", "HEAD", "--project", str(changed))
    try:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        built = datasets()
        assert built[f"{PREFIX}mart"] == {"customer_lifetime_value"}
        assert not built.get(f"{PREFIX}staging"), "what it did not change is read where it is"
    finally:
        dropped = slim("drop", "--prefix", PREFIX)
    assert dropped.returncode == 0, dropped.stderr
    assert datasets() == {}
    assert warehouse().columns("mart.customer_lifetime_value")


@pytest.mark.parametrize("prefix", ["", "_", "pr"])
def test_without_a_prefix_nothing_is_touched(prefix: str):
    for command in (("build", "--since", "HEAD"), ("drop",)):
        done = slim(*command, "--prefix", prefix)
        assert done.returncode == 2
        assert "prefix" in done.stderr
