"""One holder at a time, across processes and machines: an object in the lake that only one can create."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from tributary.hooks.lake import lake_bucket

#: A holder that died doesn't keep the others out for longer.
LEASE = timedelta(seconds=60)
_PAUSE = 0.5


@contextmanager
def lease(name: str) -> Iterator[None]:
    """Wait until nobody holds `name`, then hold it. For work that takes seconds."""
    from google.api_core.exceptions import NotFound, PreconditionFailed

    bucket = lake_bucket()
    path = f"leases/{name}"
    while True:
        blob = bucket.blob(path)
        try:
            blob.upload_from_string("", if_generation_match=0)
            break
        except PreconditionFailed:
            held = bucket.get_blob(path)
        if held and held.time_created < datetime.now(UTC) - LEASE:
            try:
                held.delete(if_generation_match=held.generation)
            except (NotFound, PreconditionFailed):
                continue
        else:
            time.sleep(_PAUSE)
    try:
        yield
    finally:
        # After more time than the lease grants, somebody else may hold it.
        with suppress(NotFound, PreconditionFailed):
            blob.delete(if_generation_match=blob.generation)
