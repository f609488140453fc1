"""A load job whose rows are counted."""

from collections.abc import Sequence
from typing import Any

from tributary.errors import RefusedError
from tributary.landing.lake import Part
from tributary.settings import settings
from tributary.warehouse.protocol import Warehouse
from tributary.warehouse.schema import Field


def load_parts(
    warehouse: Warehouse,
    bucket: Any,
    parts: Sequence[Part],
    table: str,
    schema: Sequence[Field],
    *,
    where: str,
    labels: dict[str, str],
) -> int:
    """Load objects into a fresh stage table that expires; the number of rows. `where`: what they are, for the message.

    Raises:
        RefusedError: the job brought other rows than were written.
        LoadRefusedError: BigQuery did not accept all rows.
    """
    uris = [f"gs://{bucket.name}/{part.name}" for part in parts]
    hours = settings().stage_expiration_hours
    rows = warehouse.load(uris, table, schema, expires_hours=hours, labels=labels)
    expected = sum(part.lines for part in parts)
    if rows != expected:
        raise RefusedError(
            f"{where}: the load job brought {rows} rows, expected {expected}; nothing was loaded. Clear this task to "
            "load again"
        )
    return rows
