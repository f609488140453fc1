"""Google Cloud: jobs, datasets, the lake and the clock, each by doing what the pipeline does there."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tributary.errors import TributaryError
from tributary.preflight.findings import Finding

WRITTEN = ("raw", "raw_history", "raw_stage", "ops")
PASSING = "raw_stage"
"""The dataset whose tables may expire: they are read once."""
OTHERS = ("staging", "mart", "ml", "dq")
"""dbt's and others' datasets: they must exist, loads need no access to them."""
SKEW = timedelta(seconds=5)
"""Observations of two workers are ordered by their clocks (docs/decisions/0006)."""


def check_warehouse(connect: Callable[[], Any], project: str, location: str) -> Iterator[Finding]:
    """`connect` gives a `google.cloud.bigquery` client; datasets that loads write must take a table."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.bigquery import DEFAULT_RETRY

    # Its own patience is ten minutes.
    patience = DEFAULT_RETRY.with_timeout(15)
    try:
        client = connect()
        before = datetime.now(UTC)
        job = client.query("select 1 as one", location=location, retry=patience, job_retry=None)
        job.result(timeout=60, retry=patience)
    except (GoogleAPIError, GoogleAuthError, TributaryError, OSError) as error:
        yield Finding(
            "BigQuery",
            "jobs",
            fix=f"{_short(error)}; TRIBUTARY_PROJECT ({project}) must exist, and the ingest account needs "
            "roles/bigquery.jobUser on it",
        )
        return
    yield Finding("BigQuery", "jobs", f"{project} in {location}")
    yield _clock(job.created, before, datetime.now(UTC))
    for name in (*WRITTEN, *OTHERS):
        yield _dataset(client, f"{project}.{name}", location, written=name in WRITTEN)


def _clock(theirs: datetime, before: datetime, after: datetime) -> Finding:
    """The job was created between the two moments, if both clocks are right."""
    skew = max(before - theirs, theirs - after, timedelta(0))
    seconds = f"{skew.total_seconds():.1f} s from Google's"
    if skew > SKEW:
        return Finding(
            "this machine",
            "clock",
            fix=f"{seconds}, at most {SKEW.seconds} s; switch NTP on (timedatectl set-ntp true)",
        )
    return Finding("this machine", "clock", seconds)


def _dataset(client: Any, dataset: str, location: str, *, written: bool) -> Finding:
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound
    from google.cloud import bigquery

    check = f"dataset {dataset.partition('.')[2]}"
    try:
        found = client.get_dataset(dataset)
        if found.location.upper() != location.upper():
            fix = f"it lies in {found.location}; set TRIBUTARY_LOCATION to that, or make the dataset anew in {location}"
            return Finding("BigQuery", check, fix=fix)
        if written:
            table = bigquery.Table(f"{dataset}.preflight_{uuid.uuid4().hex}", [bigquery.SchemaField("n", "INT64")])
            table.expires = datetime.now(UTC) + timedelta(hours=1)
            client.create_table(table)
            client.delete_table(table)
        if fix := _expiry(client, found):
            return Finding("BigQuery", check, fix=fix)
    except NotFound:
        return Finding(
            "BigQuery",
            check,
            fix="it does not exist; run `terraform apply`, or "
            f"`bq --location={location} mk --dataset {dataset.replace('.', ':')}`",
        )
    except Forbidden as error:
        if written:
            return Finding("BigQuery", check, fix=f"{_short(error)}; give the ingest account Data Editor on {dataset}")
        return Finding("BigQuery", check, "exists; loads have no access to it, as it should be")
    except GoogleAPIError as error:
        return Finding("BigQuery", check, fix=_short(error))
    return Finding("BigQuery", check, "writable" if written else "exists")


def _expiry(client: Any, dataset: Any) -> str:
    """Return the remedy for a dataset whose tables expire; None if they don't."""
    if dataset.dataset_id == PASSING:
        return ""
    name = f"{dataset.project}:{dataset.dataset_id}"
    flags = {
        "default_table_expiration": dataset.default_table_expiration_ms,
        "default_partition_expiration": dataset.default_partition_expiration_ms,
    }
    if found := {flag: milliseconds for flag, milliseconds in flags.items() if milliseconds}:
        days = min(found.values()) / 86_400_000
        switches = " ".join(f"--{flag} 0" for flag in found)
        return f"what is made in it expires after {days:g} days; run `bq update {switches} {name}`"
    expiring = [table for table in client.list_tables(dataset.reference) if table.expires or _partitions_expire(table)]
    if not expiring:
        return ""
    names = ", ".join(table.table_id for table in expiring[:5]) + (" and others" if len(expiring) > 5 else "")
    table = f"{name}.{expiring[0].table_id}"
    return (
        f"{len(expiring)} of its tables expire, or their partitions: {names}; run "
        f"`bq update --expiration 0 --time_partitioning_expiration 0 {table}` for each"
    )


def _partitions_expire(table: Any) -> bool:
    return bool(table.time_partitioning and table.time_partitioning.expiration_ms)


def check_lake(connect: Callable[[], Any], location: str) -> Iterator[Finding]:
    """`connect` gives a `google.cloud.storage` bucket; an object is written, read and deleted."""
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound
    from google.auth.exceptions import GoogleAuthError

    name = ""
    try:
        bucket = connect()
        name = bucket.name
        blob = bucket.blob(f"preflight/{uuid.uuid4().hex}")
        blob.upload_from_string(b"preflight", checksum="crc32c")
        intact = blob.download_as_bytes() == b"preflight"
        blob.delete()
    except NotFound:
        yield Finding(
            "lake", "bucket", fix=f"gs://{name} does not exist; `terraform apply`, or set TRIBUTARY_LAKE_BUCKET"
        )
        return
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        yield Finding(
            "lake", "bucket", fix=f"{_short(error)}; give the ingest account roles/storage.objectAdmin on gs://{name}"
        )
        return
    yield Finding(
        "lake", "bucket", f"gs://{name}" if intact else "", "" if intact else f"gs://{name} returned other bytes"
    )
    try:
        bucket.reload()
    except Forbidden:
        yield Finding("lake", "location", "not visible to the ingest account, as it should be")
        return
    inside = _inside(bucket.location or "", location)
    yield Finding(
        "lake",
        "location",
        bucket.location,
        "" if inside else f"{bucket.location}; load jobs in {location} need the bucket there",
    )


def _inside(place: str, location: str) -> bool:
    """Return True if load jobs of a location can read the bucket: the same place, or a region of the multi-region."""
    place, location = place.upper(), location.upper()
    regions = {"US": ("US", "NORTHAMERICA"), "EU": ("EU", "EUROPE")}
    return place == location or any(place.startswith(prefix) for prefix in regions.get(location, ()))


def _short(error: Exception) -> str:
    """The reason without the payload that the client libraries append to it."""
    return str(getattr(error, "message", None) or error).partition("\n")[0][:300] or type(error).__name__
