"""BigQuery through the google provider's hook.

Every job of the pipeline goes through here: it gets the location, labels that say who caused the cost, and a cap on the
bytes it may bill.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound, PreconditionFailed
from google.cloud import bigquery

from tributary.errors import RefusedError, TributaryError
from tributary.settings import settings
from tributary.warehouse.protocol import ConflictError, LoadRefusedError, RefusedRow
from tributary.warehouse.schema import Field

_LABEL = re.compile(r"[^a-z0-9_-]")
_JOB_SECONDS = 1800
#: To the last quote: a value may hold some. The one of a word such as "couldn't" begins nothing.
_QUOTED = re.compile(r"(?s)(?<!\w)'.*'|\"[^\"]*\"")
#: A load goes on behind so many refused rows, to tell of all at once; what it loaded is not used then.
_BAD_ROWS = 1000
_ROW = re.compile(r"(?i)\brow starting at position:? (\d+):?")
_FILE = re.compile(r"\bFile: (gs://\S+)")
_VALUE = re.compile(r"(?is)(value:) .*")
#: A transaction that lost against another, and a single statement that did.
_CONFLICT = re.compile(r"(?i)aborted due to concurrent update|could not serialize access to table")


class WarehouseHook(BigQueryHook):
    """Fulfils `tributary.warehouse.protocol.Warehouse`."""

    def __init__(self, account: str | None = None) -> None:
        """`account`: the service account to act as; the connection's own one if it is left out."""
        own = settings()
        super().__init__(
            gcp_conn_id=own.google_conn_id,
            location=own.location,
            use_legacy_sql=False,
            impersonation_chain=account or None,
        )
        self.project = own.project
        self._client: bigquery.Client | None = None
        self._running: Any = None
        self._expiring: dict[str, bool] = {}

    @property
    def client(self) -> bigquery.Client:
        if self._client is None:
            self._client = self.get_client(project_id=self.project, location=settings().location)
        return self._client

    def query(self, sql: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        return [dict(row) for row in self.rows(sql, labels)]

    def rows(self, sql: str, labels: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        config = bigquery.QueryJobConfig(
            use_legacy_sql=False, maximum_bytes_billed=settings().maximum_bytes_billed, labels=clean_labels(labels)
        )
        try:
            job = self._running = self.client.query(
                sql, job_config=config, location=settings().location, timeout=_JOB_SECONDS
            )
            yield from job.result(timeout=_JOB_SECONDS)
        except GoogleAPICallError as error:
            raise self._failure(error) from None
        except TimeoutError:
            job.cancel()
            raise TributaryError(
                f"BigQuery job {job.job_id} took longer than {_JOB_SECONDS} s and was cancelled"
            ) from None
        finally:
            self._running = None

    def cancel(self) -> None:
        """Cancel the job that is running, if any; for a task that is being ended."""
        if job := self._running:
            job.cancel(timeout=30)
            self.log.warning("cancelled BigQuery job %s", job.job_id)

    def columns(self, table: str) -> dict[str, Field] | None:
        try:
            schema = self.client.get_table(f"{self.project}.{table}").schema
        except NotFound:
            return None
        return {field.name: field.to_api_repr() for field in schema}

    def tables(self, dataset: str) -> list[str]:
        return [table.table_id for table in self.client.list_tables(f"{self.project}.{dataset}")]

    def list_rows(self, table: str) -> list[dict[str, Any]]:
        try:
            return [dict(row) for row in self.client.list_rows(self.client.get_table(f"{self.project}.{table}"))]
        except NotFound:
            return []

    def create(
        self,
        table: str,
        schema: Sequence[Field],
        *,
        partition: str,
        partition_by: str,
        cluster: Sequence[str],
        description: str,
    ) -> None:
        new = bigquery.Table(f"{self.project}.{table}", schema=_fields(schema))
        new.time_partitioning = bigquery.TimePartitioning(type_=partition, field=partition_by)
        new.clustering_fields = list(cluster) or None
        new.description = description
        try:
            self.client.create_table(new, exists_ok=True)
        except NotFound:
            dataset = table.partition(".")[0]
            raise RefusedError(
                f"dataset {self.project}.{dataset} does not exist; create it in location {settings().location}"
            ) from None
        self.keep([table], partitioned=True)

    def keep(self, tables: Iterable[str], *, partitioned: bool = False) -> None:
        expiring = [table for table in tables if self._expires(table.partition(".")[0])]
        # Only SQL can say "never": through the API, what is left out is taken from the dataset.
        options = "expiration_timestamp = null" + (", partition_expiration_days = null" if partitioned else "")
        for table in expiring:
            self.query(f"alter table `{self.project}.{table}` set options ({options})", {})

    def _expires(self, dataset: str) -> bool:
        """Return True if new tables of a dataset, or their partitions, expire by default."""
        if dataset not in self._expiring:
            found = self.client.get_dataset(f"{self.project}.{dataset}")
            self._expiring[dataset] = bool(found.default_table_expiration_ms or found.default_partition_expiration_ms)
        return self._expiring[dataset]

    def put_columns(self, table: str, fields: Iterable[Field]) -> None:
        existing = self.client.get_table(f"{self.project}.{table}")
        # What the table says of a column besides (a policy tag) stays.
        schema = {field.name: field.to_api_repr() for field in existing.schema}
        for field in fields:
            name, description = field["name"], field["description"]
            schema[name] = {**(schema.get(name) or {**field, "mode": "NULLABLE"}), "description": description}
        existing.schema = _fields(schema.values())
        try:
            self.client.update_table(existing, ["schema"])
        except PreconditionFailed:
            raise TributaryError(f"{table} was changed meanwhile; the next attempt looks at it again") from None

    def load(
        self, uris: Sequence[str], table: str, schema: Sequence[Field], *, expires_hours: int, labels: dict[str, str]
    ) -> int:
        name = f"{self.project}.{table}"
        fresh = bigquery.Table(name, schema=_fields(schema))
        # The expiry is the table's own, so that what a crash leaves behind goes away by itself.
        fresh.expires = _hours_from_now(expires_hours)
        self.client.create_table(fresh, exists_ok=True)
        if uris:
            config = bigquery.LoadJobConfig(
                schema=_fields(schema),
                source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
                write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
                max_bad_records=_BAD_ROWS,
                labels=clean_labels(labels),
            )
            try:
                self._running = self.client.load_table_from_uri(
                    list(uris), name, job_config=config, location=settings().location
                )
                job = self._running.result(timeout=_JOB_SECONDS)
            except BadRequest as error:
                raise LoadRefusedError(*_refusal(error.errors or [{"message": error.message}])) from None
            except GoogleAPICallError as error:
                raise self._failure(error) from None
            finally:
                self._running = None
            # Rows that it left out; other remarks are no refusal.
            if (refusal := _refusal(job.errors or []))[1]:
                raise LoadRefusedError(*refusal)
        rows = self.query(f"select count(*) as n from `{name}`", labels)
        return int(rows[0]["n"])

    def _failure(self, error: GoogleAPICallError) -> TributaryError:
        """BigQuery's reason without the statement, which the library appends to it."""
        message = error.message.partition("\n")[0].partition("; reason: ")[0]
        if "nothing was loaded" in message:
            return RefusedError(message)
        if _CONFLICT.search(message):
            return ConflictError(f"BigQuery: {redact(message)}")
        return TributaryError(f"BigQuery: {redact(message)}")


def _refusal(errors: Sequence[Mapping[str, Any]]) -> tuple[str, list[RefusedRow]]:
    """BigQuery's reasons, and the rows that they are about."""
    rows = []
    for error in errors:
        message = error.get("message", "")
        if found := _ROW.search(message):
            uri = _FILE.search(message)
            reason = _FILE.sub("", message[found.end() :]).strip()
            rows.append(RefusedRow(uri[1] if uri else error.get("location", ""), int(found[1]), redact(reason)))
    return "; ".join(redact(error.get("message", "")) for error in errors), rows


def redact(message: str) -> str:
    """BigQuery quotes the value that it could not convert; a value may be personal data."""
    return _VALUE.sub(r"\1 …", _QUOTED.sub("…", message))


def clean_labels(labels: dict[str, str]) -> dict[str, str]:
    """Labels as BigQuery takes them: lower case, 63 characters."""
    return {key: _LABEL.sub("-", value.lower())[:63] for key, value in labels.items()}


def _fields(schema: Iterable[Field]) -> list[bigquery.SchemaField]:
    return [bigquery.SchemaField.from_api_repr(field) for field in schema]


def _hours_from_now(hours: int) -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(hours=hours)
