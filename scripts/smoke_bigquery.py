"""Runs a small simulated company through the real BigQuery: loads, builds, tests, compares with its books, cleans up.

    make smoke-bigquery PROJECT=my-empty-project [LOCATION=EU] [ARGS=--keep]

Needs Google credentials that may create datasets, jobs and a bucket (`gcloud auth application-default login`), and a
project without any dataset: the names of the datasets are the pipeline's own, so one with data in it is refused. What
an interrupted run left behind is recognised by its label and deleted first. Costs a few cents.

The simulators of both APIs run on this machine; everything else is what a deployment runs: the DAGs through
`airflow dags test`, dbt's target `prod`. With BIGQUERY_EMULATOR_HOST and STORAGE_EMULATOR_HOST in the environment the
same is done on emulators, which is how it is tested.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local import manifest, warehouse
from local.errors import LocalStackError
from local.settings import ROOT
from local.stack import start_stack

LABEL = {"tributary": "smoke"}
SINCE, UNTIL = datetime(2024, 7, 1, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)
READ_AT = UNTIL + timedelta(minutes=10)
CUSTOMERS = 25
KEPT = ("BIGQUERY_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "DBT_TARGET", "DBT_BIGQUERY_ENDPOINT")
"""Variables of the caller that say where BigQuery is; without them it is Google's."""


@dataclass(frozen=True)
class Target:
    """A throw-away project: where the datasets go, and the bucket of the lake."""

    project: str
    location: str

    @property
    def bucket(self) -> str:
        return f"{self.project}-tributary-smoke"


def main(arguments: list[str] | None = None) -> int:
    """Run all steps; return 0 if every number agrees, 1 if not, 2 if the project was refused."""
    parser = argparse.ArgumentParser(prog="make smoke-bigquery", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("project", help="an empty Google Cloud project")
    parser.add_argument("--location", default="US", help="BigQuery location (default: US)")
    parser.add_argument("--keep", action="store_true", help="leave datasets and bucket behind, to look at them")
    given = parser.parse_args(arguments)
    target = Target(given.project, given.location)
    with tempfile.TemporaryDirectory(prefix="tributary-smoke-") as home:
        try:
            return _run(target, Path(home), keep=given.keep)
        except LocalStackError as problem:
            sys.stderr.write(f"error: {problem}\n")
            return 2


def _run(target: Target, home: Path, *, keep: bool) -> int:
    with start_stack(("simulators",), base_dir=home / "stack", world_customers=CUSTOMERS) as local:
        variables = environment(target, local, home)
        client = warehouse.client(variables)
        _step(f"Empty project {target.project}", lambda: empty(client, target))
        try:
            _step("Datasets and bucket", lambda: _create(client, target, variables))
            _set_clock(local, READ_AT)
            airflow = _airflow(variables)
            window = {"window_start": SINCE.date().isoformat(), "window_end": UNTIL.date().isoformat()}
            for source in ("stripe", "hubspot"):
                _step(f"History of {source}", lambda s=source: airflow("dags", "test", f"ingest_{s}", *_conf(window)))
            last = {**window, "window_start": (UNTIL - timedelta(days=1)).date().isoformat()}
            _step("Build and tests", lambda: airflow("dags", "test", "build_warehouse", *_conf(last)))
            problems = _step("Comparison with the books", lambda: list(differences(client, local)))
        finally:
            if not keep:
                _step("Clean-up", lambda: drop(client, target, variables))
    _say("\n".join(problems) or "Every raw table and every lifetime value is as in the books.")
    return 1 if problems else 0


def environment(target: Target, local: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables of a deployment in the target's project, with the sources of the local simulators."""
    variables = {name: value for name, value in local.items() if name not in KEPT}
    google = {"conn_type": "google_cloud_platform", "extra": {"project": target.project}}
    variables |= {
        "TRIBUTARY_PROJECT": target.project,
        "TRIBUTARY_LOCATION": target.location,
        "TRIBUTARY_LAKE_BUCKET": target.bucket,
        "GOOGLE_CLOUD_PROJECT": target.project,
        "DBT_TARGET": "prod",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow' / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "airflow" / "logs"),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": os.environ.get("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", json.dumps(google)),
    }
    return variables | {name: os.environ[name] for name in KEPT if name in os.environ}


def empty(client: Any, target: Target) -> None:
    """Delete what an interrupted run left. Raises LocalStackError if the project holds anything else."""
    found = {dataset.dataset_id: dataset.labels for dataset in client.list_datasets()}
    others = sorted(name for name, labels in found.items() if labels != LABEL)
    if others:
        raise LocalStackError(
            f"Project {target.project} has datasets of its own: {', '.join(others)}. This run creates and drops "
            f"{', '.join(warehouse.DATASETS)}; give it a project without any dataset."
        )
    for name in found:
        client.delete_dataset(name, delete_contents=True)


def drop(client: Any, target: Target, variables: Mapping[str, str]) -> None:
    """Delete the datasets and the bucket."""
    for name in warehouse.DATASETS:
        client.delete_dataset(name, delete_contents=True, not_found_ok=True)
    bucket = warehouse.storage_client(variables).bucket(target.bucket)
    for blob in bucket.list_blobs():
        blob.delete()
    bucket.delete()


def differences(client: Any, local: Mapping[str, str]) -> Iterator[str]:
    """Yield every difference between the warehouse and what the simulators' books say must be in it."""
    from tests.oracle import Books, Load, compare_clv, compare_raw, expected_clv, expected_raw

    stripe = json.loads(local["AIRFLOW_CONN_STRIPE_DEFAULT"])["host"]
    loads = [
        Load("stripe", "created", SINCE, UNTIL, READ_AT),
        Load("hubspot", "created", SINCE, UNTIL, READ_AT),
    ]
    expected = expected_raw(Books.of(stripe), loads)
    for table, rows in expected.items():
        yield from compare_raw(table, rows, _rows(client, f"raw.{table}"))
    yield from compare_clv(expected_clv(expected, UNTIL), _rows(client, "mart.customer_lifetime_value"))


def _rows(client: Any, table: str) -> list[dict[str, Any]]:
    return [dict(row.items()) for row in client.query(f"select * from {table}").result()]  # noqa: S608


def _create(client: Any, target: Target, variables: Mapping[str, str]) -> None:
    from google.cloud import bigquery

    for name in warehouse.DATASETS:
        dataset = bigquery.Dataset(f"{target.project}.{name}")
        dataset.location, dataset.labels = target.location, LABEL
        client.create_dataset(dataset)
    storage = warehouse.storage_client(variables)
    if not storage.bucket(target.bucket).exists():
        storage.create_bucket(target.bucket, location=target.location)


def _airflow(variables: Mapping[str, str]) -> Any:
    home = Path(variables["AIRFLOW_HOME"])
    home.mkdir(parents=True)
    manifest.refresh()

    def run(*command: str) -> None:
        log = home / "last.log"
        with log.open("w") as out:
            done = subprocess.run(
                [sys.executable, "-m", "airflow", *command],
                cwd=ROOT,
                env={**os.environ, **variables},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            kept = Path(tempfile.gettempdir()) / "tributary-smoke.log"
            shutil.copyfile(log, kept)
            last = log.read_text(errors="replace")[-1500:]
            raise LocalStackError(f"`airflow {' '.join(command)}` failed; all that it printed is in {kept}.\n{last}")

    run("db", "migrate")
    run("pools", "import", str(ROOT / "include" / "pools.json"))
    return run


def _conf(conf: Mapping[str, str]) -> tuple[str, ...]:
    return UNTIL.date().isoformat(), "--conf", json.dumps(conf)


def _set_clock(local: Mapping[str, str], now: datetime) -> None:
    import requests

    stripe = json.loads(local["AIRFLOW_CONN_STRIPE_DEFAULT"])["host"]
    body = {"now": now.isoformat().replace("+00:00", "Z")}
    requests.put(f"{stripe}/_sim/clock", json=body, timeout=10).raise_for_status()


def _step(title: str, work: Any) -> Any:
    begun = time.monotonic()
    _say(f"{title} …")
    done = work()
    _say(f"  {time.monotonic() - begun:.0f} s")
    return done


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
