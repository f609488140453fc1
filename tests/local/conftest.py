"""The emulators of these tests, and the stock emulator beside them, to show what the fixes are for."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from local import processes, warehouse
from local.settings import LocalSettings, on_free_ports
from local.stack import start_stack


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalSettings, dict[str, str]]]:
    """Settings and environment of a stack of emulators with nothing in it."""
    settings = on_free_ports(tmp_path_factory.mktemp("emulated"))
    with start_stack(base_dir=settings.home, settings=settings) as environment:
        yield settings, environment


@pytest.fixture(scope="session")
def mended(emulated: tuple[LocalSettings, dict[str, str]]) -> bigquery.Client:
    """A client of the emulator as the local stack starts it."""
    return warehouse.client(emulated[1])


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    """A client of the emulator as it is published."""
    base = tmp_path_factory.mktemp("stock")
    settings = on_free_ports(base)
    python = settings.emulators / "bin" / "python"
    environment = {**os.environ, "HOME": str(base), "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false"}
    install = "from duckdb_extensions import import_extension; import_extension('spatial')"
    subprocess.run([str(python), "-c", install], env=environment, check=True, timeout=60)
    settings.gcs_dir.mkdir(parents=True)
    environment["BQEMU_GCS_LOCAL_ROOT"] = str(settings.gcs_dir)
    ports = [str(settings.bigquery_port), str(settings.bigquery_grpc_port)]
    command = [str(python), "-m", "bqemulator", "start", "--persistent", "--data-dir", str(base / "bq")]
    command += ["--project", settings.project, "--rest-port", ports[0], "--grpc-port", ports[1]]
    record = processes.start("stock", command, run_dir=base, environment=environment, cwd=base)
    try:
        client = warehouse.client(
            {"TRIBUTARY_PROJECT": settings.project, "BIGQUERY_EMULATOR_HOST": settings.bigquery_url}
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                list(client.list_datasets(retry=None))
                break
            except OSError:
                assert time.monotonic() < deadline, processes.tail(Path(record.log))
                time.sleep(0.2)
        yield client
    finally:
        processes.stop(record, patience=5)


@pytest.fixture
def dataset(mended: bigquery.Client) -> Iterator[str]:
    """A dataset of the test's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    mended.create_dataset(name)
    yield name
    mended.delete_dataset(name, delete_contents=True)


class Tables:
    """SQL on a dataset of the test's own."""

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        self.client = client
        self.dataset = dataset

    def run(self, sql: str) -> list[Any]:
        job = self.client.query(sql.replace("{d}", self.dataset), retry=None, job_retry=None)
        return [tuple(row.values()) for row in job.result(retry=None)]

    def fields(self, table: str) -> list[tuple[str, str]]:
        return [(field.name, field.field_type) for field in self.client.get_table(f"{self.dataset}.{table}").schema]


@pytest.fixture
def tables(mended: bigquery.Client, dataset: str) -> Tables:
    """The test's own dataset."""
    return Tables(mended, dataset)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()
