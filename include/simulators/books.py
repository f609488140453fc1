"""The ground truth: every object ever created up to an instant, straight from the store's versions.

This deliberately shares nothing with the code that lists, searches or derives events: what the pipeline
loaded is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.simulators.world.moments import iso
from include.simulators.world.store import Collection


def books(collection: Collection, at: int, on_test_clocks: bool = False) -> Iterator[dict[str, Any]]:
    """Yields `{id, created, updated, deleted_at, object}` per object, in the order of creation.

    `object` is the last one that was seen, complete. `deleted_at` is null unless it has been deleted, archived or
    merged away; then `gone` says which, and `merged_into` names what became of it. Objects on Stripe's test clocks
    are no part of the account's business and are left out, unless `on_test_clocks`.
    """
    for record in sorted(collection.records.values(), key=lambda record: (record.created, record.id)):
        seen = [version for version in record.versions if version.at <= at]
        if not seen:
            continue
        last = seen[-1]
        shape = last.object
        if shape.get("test_clock") and not on_test_clocks:
            continue
        yield {
            "id": record.id,
            "created": iso(last.created),
            "updated": iso(last.at),
            "deleted_at": iso(last.at) if last.gone else None,
            "gone": last.gone,
            "merged_into": last.into,
            "object": shape,
        }
