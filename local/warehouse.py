"""Creates the lake's bucket and the datasets, and runs a query from the command line."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TextIO

from local.errors import LocalStackError

DATASETS = ("raw", "raw_history", "raw_stage", "staging", "mart", "ml", "ops", "dq")


def prepare(variables: Mapping[str, str]) -> None:
    """Create bucket and datasets where they are missing. `variables` is `environment(...)` of the stack."""
    from google.cloud import bigquery
    from google.cloud.exceptions import Conflict

    project, bucket = variables["TRIBUTARY_PROJECT"], variables["TRIBUTARY_LAKE_BUCKET"]
    with contextlib.suppress(Conflict):  # it is there from an earlier start
        storage_client(variables).create_bucket(bucket, retry=None)
    warehouse = client(variables)
    present = {dataset.dataset_id for dataset in warehouse.list_datasets(retry=None)}
    for name in DATASETS:
        if name not in present:
            dataset = bigquery.Dataset(f"{project}.{name}")
            dataset.location = variables["TRIBUTARY_LOCATION"]
            warehouse.create_dataset(dataset, exists_ok=True, retry=None)


def query(sql: str, out: TextIO, variables: Mapping[str, str]) -> int:
    """Run `sql` and write its rows to `out` as CSV with a header line. Returns the number of rows.

    With BIGQUERY_EMULATOR_HOST among `variables` the emulator is asked, else BigQuery with the ambient Google
    credentials. Raises LocalStackError with the warehouse's own words when it refuses or does not answer.
    """
    from google.api_core.exceptions import GoogleAPIError
    from requests.exceptions import ConnectionError as NoConnection

    try:
        rows = client(variables).query(sql, retry=None, job_retry=None).result(retry=None)
    except GoogleAPIError as problem:
        raise LocalStackError(str(getattr(problem, "message", problem))) from None
    except NoConnection:
        where = variables.get("BIGQUERY_EMULATOR_HOST", "its address")
        raise LocalStackError(
            f"The warehouse does not answer at {where}. Is it running? `make up` starts it."
        ) from None
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in rows.schema])
    count = 0
    for row in rows:
        writer.writerow([_text(value) for value in row.values()])
        count += 1
    return count


def client(variables: Mapping[str, str]) -> Any:
    """A BigQuery client for the warehouse that `variables` point at."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    project, location = variables.get("TRIBUTARY_PROJECT"), variables.get("TRIBUTARY_LOCATION")
    emulator = variables.get("BIGQUERY_EMULATOR_HOST")
    if not emulator:
        return bigquery.Client(project=project, location=location)
    return bigquery.Client(
        project=project,
        location=location,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": emulator},
    )


def storage_client(variables: Mapping[str, str]) -> Any:
    """A Cloud Storage client for the lake that `variables` point at."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    project, emulator = variables.get("TRIBUTARY_PROJECT"), variables.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return storage.Client(project=project)
    return storage.Client(
        project=project, credentials=AnonymousCredentials(), client_options={"api_endpoint": emulator}
    )


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        # NUMERIC has no scale of its own: 1.5, however many zeros the answer came with.
        return f"{value.normalize():f}"
    return "" if value is None else value


def pointed_at(local: Mapping[str, str]) -> Mapping[str, str]:
    """The environment to use: the caller's own where it already names a project, else the local stack's."""
    return os.environ if os.environ.get("TRIBUTARY_PROJECT") else local
