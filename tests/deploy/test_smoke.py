"""`make smoke-bigquery`, with the emulators in BigQuery's place."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import bigquery

from local import warehouse
from local.settings import ROOT, on_free_ports
from local.stack import start_stack

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(1200)]

PROJECT = "throw-away"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An emulated project with nothing in it."""
    settings = on_free_ports(tmp_path_factory.mktemp("smoke"), project=PROJECT, lake_bucket="other")
    with start_stack(base_dir=settings.home, settings=settings) as environment:
        client = warehouse.client(environment)
        for dataset in client.list_datasets(retry=None):
            client.delete_dataset(dataset, delete_contents=True, retry=None)
        yield environment


def smoke(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    where = (
        "BIGQUERY_EMULATOR_HOST",
        "STORAGE_EMULATOR_HOST",
        "DBT_TARGET",
        "DBT_BIGQUERY_ENDPOINT",
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT",
    )
    return subprocess.run(
        [sys.executable, "scripts/smoke_bigquery.py", PROJECT, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", **{name: environment[name] for name in where}},
        capture_output=True,
        text=True,
        timeout=1100,
    )


def test_a_project_with_data_is_refused_and_left_alone(emulated: dict[str, str]) -> None:
    client = warehouse.client(emulated)
    client.create_dataset("customers_of_ours", retry=None)
    done = smoke(emulated)
    assert done.returncode == 2
    assert "has datasets of its own: customers_of_ours" in done.stderr
    assert [dataset.dataset_id for dataset in client.list_datasets(retry=None)] == ["customers_of_ours"]
    client.delete_dataset("customers_of_ours", retry=None)


def test_a_small_company_is_as_in_its_books_and_nothing_stays(emulated: dict[str, str]) -> None:
    client = warehouse.client(emulated)
    left = bigquery.Dataset(f"{PROJECT}.raw")
    left.labels = {"tributary": "smoke"}
    client.create_dataset(left, retry=None)
    done = smoke(emulated)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Every raw table and every lifetime value is as in the books." in done.stdout
    assert list(client.list_datasets(retry=None)) == []
    assert not (Path(emulated["AIRFLOW_HOME"]).parents[0] / "gcs" / f"{PROJECT}-tributary-smoke").exists()
