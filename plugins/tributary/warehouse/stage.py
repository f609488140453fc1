"""The stage load: one load job per staged table, into a table of its own that expires."""

import logging
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Self

import msgspec

from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.flatten.flatten import flatten
from tributary.flatten.manifest import StagedManifest
from tributary.flatten.rows import RejectError
from tributary.landing.lake import check_parts, read_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.privacy.rows import Personal
from tributary.sources import source
from tributary.warehouse.load import load_parts
from tributary.warehouse.protocol import LoadRefusedError, Warehouse
from tributary.warehouse.refused import refused_records
from tributary.warehouse.schema import REJECT_SCHEMA, raw_schema

log = logging.getLogger(__name__)


class Staged(msgspec.Struct, kw_only=True):
    """The stage tables of one staged folder; small enough for XCom."""

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
    personal: Callable[[], Personal],
    stage_id: str,
    labels: dict[str, str],
) -> Staged:
    """Load a staged folder. `personal` is asked when the window has to be flattened again.

    A record of which BigQuery refuses a row must not block the others: the landing folder is flattened again, with that
    record among the rejects, and loaded from there.

    Raises:
        RefusedError: BigQuery took other rows than were flattened, or none; names table, window and both numbers. Or
            more records are refused than the contract's limit, or an object is not as it was written.
    """
    manifest.refuse_another(contract)
    refused: dict[str, RejectError] = {}
    while True:
        try:
            return _load(warehouse, contract, manifest, bucket, stage_id, labels)
        except LoadRefusedError as error:
            found = refused_records(bucket, contract, error.rows)
            if not found.keys() - refused.keys():
                item = manifest.item
                raise RefusedError(
                    f"{contract.name} for client {item.client_id}, {item.window}: the load job refused the rows of "
                    f"{manifest.folder}, and not for what a record holds; nothing was loaded: {error}"
                ) from None
            log.warning("%s: the load job refused rows of %d records: %s", contract.name, len(found), error)
            refused |= found
            manifest = _flatten_without(contract, manifest, bucket, personal(), stage_id, refused)


def _flatten_without(
    contract: Contract,
    manifest: StagedManifest,
    bucket: Any,
    personal: Personal,
    stage_id: str,
    refused: dict[str, RejectError],
) -> StagedManifest:
    landing = read_json(bucket, manifest_name(manifest.landing_folder), LandingManifest)
    if landing is None:
        raise RefusedError(
            f"{contract.name}: the load job refused rows of {manifest.folder}, and gs://{bucket.name}/"
            f"{manifest.landing_folder} is gone; nothing was loaded. Clear the extract task to read the window again"
        )
    # A retry that is told of others begins another folder.
    told = blake2b("\0".join(sorted(refused)).encode(), digest_size=8).hexdigest()
    return flatten(
        source=source(contract.source),
        contract=contract,
        landing=landing,
        attempt_id=f"{stage_id}-{told}",
        bucket=bucket,
        personal=personal,
        refused=refused,
    )


def _load(
    warehouse: Warehouse,
    contract: Contract,
    manifest: StagedManifest,
    bucket: Any,
    stage_id: str,
    labels: dict[str, str],
) -> Staged:
    parts = [part for table in manifest.tables.values() for part in table.parts]
    check_parts(bucket, [*parts, *manifest.rejects], "Clear the flatten task to write it again")
    tables: dict[str, str] = {}
    of = f"for client {manifest.item.client_id}, {manifest.item.window}"
    for table in contract.tables:
        staged = manifest.tables[table.name]
        tables[table.name] = name = f"raw_stage.{table.name}__{stage_id}"
        where = f"{table.name} {of}"
        schema = raw_schema(table, stage=True)
        rows = load_parts(warehouse, bucket, staged.parts, name, schema, where=where, labels=labels)
        log.info("%s: %d rows in %s", where, rows, name)
    rejects = None
    if manifest.rejects:
        rejects = f"raw_stage.{contract.source}_{contract.stream}__{stage_id}_rejects"
        where = f"rejects of {contract.name} {of}"
        load_parts(warehouse, bucket, manifest.rejects, rejects, REJECT_SCHEMA, where=where, labels=labels)
    return Staged(folder=manifest.folder, tables=tables, rejects=rejects)
