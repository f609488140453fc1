"""The stage load: one load job per staged table, into a table of its own that expires."""

import logging
from typing import Any, Self

import msgspec

from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.flatten.manifest import StagedManifest
from tributary.lake import check_parts
from tributary.settings import settings
from tributary.warehouse.protocol import LoadRefusedError, Warehouse
from tributary.warehouse.schema import REJECT_SCHEMA, raw_schema

log = logging.getLogger(__name__)


class Staged(msgspec.Struct, kw_only=True):
    """Where one staged folder lies in the warehouse; small enough for XCom."""

    folder: str
    #: Raw table -> stage table, `raw_stage.<name>`.
    tables: dict[str, str]
    rejects: str | None

    def to_dict(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return msgspec.convert(data, cls)


def stage(
    *,
    warehouse: Warehouse,
    contract: Contract,
    manifest: StagedManifest,
    bucket: Any,
    stage_id: str,
    labels: dict[str, str],
) -> Staged:
    """Load a staged folder.

    Raises:
        RefusedError: BigQuery took other rows than were flattened, or none; names table, window and both numbers. Or
            an object is not as it was written.
    """
    parts = [part for table in manifest.tables.values() for part in table.parts]
    check_parts(bucket, [*parts, *manifest.rejects], "Clear the flatten task to write it again")
    tables: dict[str, str] = {}
    for table in contract.tables:
        staged = manifest.tables[table.name]
        tables[table.name] = name = f"raw_stage.{table.name}__{stage_id}"
        uris = [f"gs://{bucket.name}/{part.name}" for part in staged.parts]
        where = f"{table.name} for client {manifest.item.client_id}, {manifest.item.window}"
        try:
            rows = warehouse.load(
                uris,
                name,
                raw_schema(table, stage=True),
                expires_hours=settings().stage_expiration_hours,
                labels=labels,
            )
        except LoadRefusedError as error:
            raise RefusedError(f"{where}: the load job refused the rows of {manifest.folder}: {error}") from None
        if rows != staged.rows + staged.gone:
            raise RefusedError(
                f"{where}: the load job brought {rows} rows, expected {staged.rows + staged.gone}; "
                "clear this task to load again"
            )
        log.info("%s: %d rows in %s", where, rows, name)
    rejects = None
    if manifest.rejects:
        rejects = f"raw_stage.{contract.source}_{contract.stream}__{stage_id}_rejects"
        uris = [f"gs://{bucket.name}/{part.name}" for part in manifest.rejects]
        warehouse.load(uris, rejects, REJECT_SCHEMA, expires_hours=settings().stage_expiration_hours, labels=labels)
    return Staged(folder=manifest.folder, tables=tables, rejects=rejects)
