"""Describes a landing folder. The folder counts as complete only when its manifest exists."""

from datetime import datetime
from typing import Any

import msgspec

from tributary.landing.lake import Part
from tributary.landing.plan import WorkItem


class Progress(msgspec.Struct, kw_only=True):
    """Progress of an extraction; rewritten after each part, so that a retry goes on behind the last one."""

    observed_from: datetime
    #: Up to where the window could be read when the extraction began.
    covered_until: datetime
    cursor: dict[str, Any] = {}
    parts: list[Part] = []
    records: int = 0
    children: int = 0
    gone: int = 0
    unread: list[str] = []


class LandingManifest(msgspec.Struct, kw_only=True):
    """A finished extraction."""

    extraction_id: str
    folder: str
    item: WorkItem
    axis: str
    axis_reason: str
    #: Up to where the window was read; earlier than its end where the source answers late. None: to its end.
    covered_until: datetime | None = None
    #: When the first request of the walk was sent: what was gone before this moment can be missing from it.
    observed_from: datetime
    observed_to: datetime
    api_version: str
    contract_version: int
    #: Records received (deletion notices not counted), items of nested lists fetched separately, deletion notices.
    records: int
    children: int
    gone: int
    parts: list[Part]
    #: Parts of the collection that could not be read, such as an object type that the token may not see.
    unread: list[str] = []
    #: Requests, retries and errors by kind.
    requests: dict[str, int]


def landing_folder(item: WorkItem, extraction_id: str) -> str:
    return f"landing/{item.source}/{item.stream}/{item.client_id}/{extraction_id}"


def manifest_name(folder: str) -> str:
    return f"{folder}/manifest.json"
