"""Extraction: walk a window page by page into a landing folder; a retry goes on where the last attempt stopped."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tributary.api.client import ApiClient, MissingError
from tributary.clients import Client
from tributary.contracts.model import Contract, EmptyWindow
from tributary.errors import PostponedError, RefusedError
from tributary.landing.lake import LineWriter, read_json, write_json
from tributary.landing.manifest import LandingManifest, Progress, landing_folder, manifest_name
from tributary.landing.plan import WorkItem
from tributary.sources.base import Checkpoint, Page, Source
from tributary.windows import Window, stamp

log = logging.getLogger(__name__)

_RESTARTS = 3
_SOON = timedelta(hours=1)
_encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode


def extract(
    *,
    source: Source,
    api: ApiClient,
    livemode: bool | None,
    contract: Contract,
    client: Client,
    item: WorkItem,
    extraction_id: str,
    bucket: Any,
) -> LandingManifest:
    """Land one work item.

    Peak memory is one part (8 MiB compressed) and one page, however long the window is.

    Raises:
        RefusedError: wrong account, credential or an empty window that the contract forbids.
        ApiError: the API kept failing; what was landed stays for the next attempt.
        PostponedError: the source doesn't know the end of the window yet, or a daily quota is used up.
    """
    folder = landing_folder(item, extraction_id)
    done = read_json(bucket, manifest_name(folder), LandingManifest)
    if done:
        log.info("%s: %s is complete already", contract.name, folder)
        return done
    source_now = source.check_account(api, client, livemode)
    progress_name = f"{folder}/progress.json"
    progress = read_json(bucket, progress_name, Progress)
    if progress:
        log.info("%s: going on behind %d records of an earlier attempt", contract.name, progress.records)
    for _ in range(_RESTARTS):
        if progress is None:
            until = _covered_until(source, contract, client, item, source_now)
            progress = Progress(observed_from=datetime.now(UTC), covered_until=until)
            log.info(
                "%s %s: reading %s on the %s axis: %s",
                contract.name, client.client_id, item.window, item.axis, item.axis_reason,
            )  # fmt: skip
            if until < item.window.end:
                log.info("%s %s: what came after %s is left to the next run", contract.name, client.client_id, until)
        try:
            _walk(source, api, contract, client, item, progress, bucket, folder, progress_name)
            break
        except MissingError as error:
            log.warning(
                "%s: the record that the walk stood on is gone (%s); starting the window again", contract.name, error
            )
            progress = None
    else:
        raise RefusedError(
            f"{contract.name}: the walk over {item.window} lost its place {_RESTARTS} times; run it again when the "
            "source is quieter"
        )
    if progress.records + progress.gone == 0 and contract.empty_window == EmptyWindow.FAIL:
        raise RefusedError(
            f"{contract.name} for client {client.client_id}: {item.window} is empty, which its contract forbids "
            "(empty_window: fail)"
        )
    manifest = LandingManifest(
        extraction_id=extraction_id,
        folder=folder,
        item=item,
        axis=item.axis,
        axis_reason=item.axis_reason,
        covered_until=progress.covered_until,
        observed_from=progress.observed_from,
        observed_to=datetime.now(UTC),
        api_version=source.api_version,
        contract_version=contract.version,
        records=progress.records,
        children=progress.children,
        gone=progress.gone,
        parts=progress.parts,
        unread=progress.unread,
        requests=dict(api.counts),
    )
    write_json(bucket, manifest_name(folder), manifest)
    log.info(
        "%s: landed %d records in %d parts, %s", contract.name, manifest.records, len(manifest.parts), manifest.requests
    )
    return manifest


def _covered_until(
    source: Source, contract: Contract, client: Client, item: WorkItem, source_now: datetime
) -> datetime:
    """Up to where the window can be read. A source that will know its end soon is waited for: a run that left the last
    minutes of a day to the next one would leave everything that waits for the day waiting as well."""
    window = item.window
    until = source.covered_until(contract, item.axis, window, client, source_now)
    late = f"{contract.name} for client {client.client_id}: the source does not know the end of {window} yet"
    if timedelta(0) < window.end - until <= _SOON:
        raise PostponedError(late, datetime.now(UTC) + (window.end - until))
    if until <= window.start:
        raise RefusedError(f"{late}: its clock says {stamp(source_now)}; run it again later")
    return until


def _walk(
    source: Source,
    api: ApiClient,
    contract: Contract,
    client: Client,
    item: WorkItem,
    progress: Progress,
    bucket: Any,
    folder: str,
    progress_name: str,
) -> None:
    """Write the pages behind `progress` and bring it up to date after each part."""
    writer = LineWriter(bucket, f"{folder}/pages", first=len(progress.parts) + 1)
    pending = Checkpoint(progress.cursor, 0)

    def save() -> None:
        progress.unread = [*dict.fromkeys([*progress.unread, *pending.unread])]
        part = writer.close()
        if part is None:
            return
        progress.parts = [*progress.parts, part]
        progress.cursor = pending.cursor
        progress.records += pending.records
        progress.children += pending.children
        progress.gone += pending.gone
        write_json(bucket, progress_name, progress)

    if progress.cursor.get("done"):
        return
    window = Window(item.window.start, progress.covered_until)
    for step in source.walk(api, contract, item.axis, window, client, progress.cursor, item.ids):
        if isinstance(step, Page):
            writer.write(_encode(step))
            continue
        pending = Checkpoint(
            step.cursor,
            pending.records + step.records,
            pending.children + step.children,
            pending.gone + step.gone,
            (*pending.unread, *step.unread),
        )
        if writer.full:
            save()
            pending = Checkpoint(pending.cursor, 0)
            log.info("%s: %d records so far", contract.name, progress.records)
    save()
