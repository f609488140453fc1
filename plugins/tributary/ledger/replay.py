"""Replay: what to flatten again from the lake, for rejects that a mended contract can read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tributary.clients import Client
from tributary.errors import RefusedError
from tributary.landing.lake import check_parts, read_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.landing.plan import WorkItem
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse
from tributary.windows import Window, stamp

#: Landing folders of a stream that one run reads: one load takes them, and BigQuery takes a script of a megabyte.
FOLDERS = 25


@dataclass(frozen=True)
class Replays:
    """The folders that a replay of one stream reads; `left` counts those that are for another run."""

    items: list[WorkItem]
    rejects: int
    left: int = 0


def replays(
    warehouse: Warehouse,
    source: str,
    stream: str,
    clients: Sequence[Client],
    window: Window | None,
    labels: dict[str, str],
) -> Replays:
    """The landing folders that hold the newest answer of an open reject; of windows that touch `window`, where given.

    A record that was set aside time and again is read from its newest folder: that settles the older answers too.
    """
    if warehouse.columns("ops.open_rejects") is None:
        return Replays([], 0)
    since = {client.client_id: client.since_at for client in clients}
    ops = f"`{warehouse.project}.ops"
    touched = ""
    if window:
        start, end = literal(window.start), literal(window.end)
        touched = f"and coalesce(l.window_start < {end}, true) and l.window_end > {start}"
    rows = warehouse.query(
        f"""
        with latest as (
          select * from {ops}.open_rejects`
          where source = {literal(source)} and stream = {literal(stream)} and client_id in ({_list(since)})
          qualify row_number() over (
            partition by client_id, coalesce(record_key, concat(landing_object, '#', cast(landing_line as string), ':',
              cast(landing_item as string)))
            order by _observed_at desc) = 1
        ),
        windows as (
          select distinct extraction_id, axis, window_start, window_end, observed_from from {ops}.ledger`
          where kind = 'load' and source = {literal(source)} and stream = {literal(stream)}
        )
        select r.client_id, regexp_replace(r.landing_object, r'/[^/]*$', '') as folder, l.axis, l.window_start,
          l.window_end, count(*) as rejects
        from latest r join windows l on r.extraction_id = l.extraction_id
        where true {touched}
        group by r.client_id, folder, l.axis, l.window_start, l.window_end
        order by min(l.observed_from), folder
        """,
        labels,
    )
    items = [
        WorkItem(
            source=source,
            stream=stream,
            client_id=row["client_id"],
            axis=row["axis"],
            axis_reason=f"replay of {row['rejects']} rejects",
            window_start=stamp(row["window_start"] or since[row["client_id"]]),
            window_end=stamp(row["window_end"]),
            folder=row["folder"],
        )
        for row in rows[:FOLDERS]
    ]
    return Replays(items, sum(row["rejects"] for row in rows[:FOLDERS]), max(0, len(rows) - FOLDERS))


def landed(bucket: Any, item: WorkItem) -> str:
    """The landing folder of a replay, after a look at whether all of it is there still.

    Raises:
        RefusedError: it has expired; says how to read the window again.
    """
    assert item.folder
    remedy = f"Landing objects expire; {_again(item)}"
    manifest = read_json(bucket, manifest_name(item.folder), LandingManifest)
    if manifest is None:
        raise RefusedError(f"gs://{bucket.name}/{item.folder} is gone, so nothing can be replayed from it. {remedy}")
    check_parts(bucket, manifest.parts, remedy)
    return item.folder


def _again(item: WorkItem) -> str:
    choice = f'"streams": ["{item.stream}"], "clients": ["{item.client_id}"]'
    window = f'"window_start": "{item.window_start}", "window_end": "{item.window_end}"'
    axis = "" if item.axis == "whole" else f', "axis": "{item.axis}"'
    return (
        "read the window from the API instead: airflow dags trigger "
        f"ingest_{item.source} --conf '{{{choice}, {window}{axis}}}'"
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(literal, names))
