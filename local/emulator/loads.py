"""Load jobs: all or nothing, into a partition, strict about the schema, Parquet by name."""

# ruff: noqa: S608 - identifiers come quoted from the emulator, there are no values in this SQL
from __future__ import annotations

import dataclasses
from typing import Any

from local.emulator import partitions

STAGE = "tb_load_stage"


class Job:
    """A parsed load job (all attributes of the emulator's own) with its partition and how far it has come."""

    def __init__(self, parsed: Any, partition: str | None) -> None:
        self.parsed = parsed
        self.partition = partition
        self.files_loaded = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.parsed, name)


def apply() -> None:
    """Route the emulator's loads through a temporary table inside one DuckDB transaction.

    Stock empties the target before it reads the first file of a WRITE_TRUNCATE load, so that a load that fails
    leaves nothing; of several files it keeps those before the bad one.
    """
    from bqemulator.jobs import executor

    parse, load_file = executor._parse_load_job_config, executor._load_path_into_target
    check_disposition = executor._apply_load_write_disposition

    def parse_with_partition(project: str, config: dict[str, Any]) -> Job:
        load = dict(config.get("load", {}))
        destination = dict(load.get("destinationTable", {}))
        destination["tableId"], _, partition = destination.get("tableId", "").partition("$")
        load["destinationTable"] = destination
        return Job(parse(project, {**config, "load": load}), partition or None)

    def check_disposition_only(job: Job, context: Any) -> None:
        if job.write_disposition != "WRITE_TRUNCATE":
            check_disposition(job, context)

    def load_staged(path: str, job: Job, context: Any) -> None:
        execute = context.engine.execute
        if job.files_loaded == 0:
            execute("BEGIN TRANSACTION")
        try:
            if job.files_loaded == 0:
                execute(f"CREATE OR REPLACE TEMP TABLE {STAGE} AS SELECT * FROM {job.target_ref} LIMIT 0")
            _stage(path, job, context, load_file)
            job.files_loaded += 1
            if job.files_loaded == len(job.source_uris):
                _finish(job, context)
                execute("COMMIT")
        except BaseException:
            execute("ROLLBACK")
            raise

    executor._parse_load_job_config = parse_with_partition
    executor._apply_load_write_disposition = check_disposition_only
    executor._load_path_into_target = load_staged


def _stage(path: str, job: Job, context: Any, load_file: Any) -> None:
    if job.source_format == "PARQUET":
        # Stock takes Parquet columns by position.
        context.engine.execute(f"INSERT INTO {STAGE} BY NAME SELECT * FROM read_parquet(?)", [path])
        return
    if job.source_format in ("NEWLINE_DELIMITED_JSON", "JSON") and not job.raw_config.get("ignoreUnknownValues"):
        _refuse_unknown_fields(path, context)
    load_file(path, dataclasses.replace(job.parsed, target_ref=STAGE), context)


def _refuse_unknown_fields(path: str, context: Any) -> None:
    """Stock drops fields that the table doesn't have, without a word."""
    from bqemulator.domain.errors import InvalidQueryError

    execute = context.engine.execute
    known = {row[0].lower() for row in execute(f"DESCRIBE {STAGE}").fetchall()}
    reader = "read_json(?, format='newline_delimited', sample_size=-1, maximum_depth=1)"
    found = [row[0] for row in execute(f"DESCRIBE SELECT * FROM {reader}", [path]).fetchall()]
    unknown = sorted(name for name in found if name.lower() not in known)
    # `json` alone is what DuckDB calls the only column of an empty file.
    if unknown and found != ["json"]:
        raise InvalidQueryError(
            f"Error while reading data, error message: JSON parsing error: No such field: {unknown[0]}."
        )


def _finish(job: Job, context: Any) -> None:
    from bqemulator.domain.errors import InvalidQueryError

    execute = context.engine.execute
    _refuse_nulls_in_required_columns(job, context)
    partition = None
    if job.partition:
        partition = partitions.predicate(job.project_id, job.dataset_id, job.table_id, job.partition, context)
        if execute(f"SELECT 1 FROM {STAGE} WHERE NOT coalesce({partition}, false) LIMIT 1").fetchone():
            raise InvalidQueryError(
                "Some rows belong to different partitions rather than destination partition "
                f"{job.table_id}${job.partition}"
            )
    before = partitions.count(job.project_id, job.dataset_id, job.table_id, context)
    if job.write_disposition == "WRITE_TRUNCATE":
        execute(f"DELETE FROM {job.target_ref}" + (f" WHERE {partition}" if partition else ""))
    execute(f"INSERT INTO {job.target_ref} BY NAME SELECT * FROM {STAGE}")
    partitions.refuse_too_many(job.project_id, job.dataset_id, job.table_id, before, context)


def _refuse_nulls_in_required_columns(job: Job, context: Any) -> None:
    """Stock accepts NULL in a REQUIRED column."""
    from bqemulator.domain.errors import InvalidQueryError

    meta = context.catalog.get_table(job.project_id, job.dataset_id, job.table_id)
    for field in meta.schema_.fields if meta else ():
        if (field.mode or "").upper() != "REQUIRED":
            continue
        if context.engine.execute(f'SELECT 1 FROM {STAGE} WHERE "{field.name}" IS NULL LIMIT 1').fetchone():
            raise InvalidQueryError(
                f"Error while reading data, error message: Required field {field.name} cannot be null"
            )
