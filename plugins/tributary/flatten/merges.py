"""Records that were merged into another, as the other tells."""

from collections.abc import Iterable, Mapping
from typing import Any

#: Where the merged ids of a record are put, for a child table to read.
MERGED = "merged"


def merged_into(record: Mapping[str, Any], paths: Iterable[str]) -> list[dict[str, str]]:
    """`{id, at}` of each record that was merged into this one; `at` is missing where no time is given.

    A path leads to `1;2`, or to `1:epochms;2:epochms`. A record that kept its own id is not merged into itself.
    """
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        value: Any = record
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        for entry in str(value or "").split(";"):
            id_, _, at = (part.strip() for part in entry.partition(":"))
            if id_ and id_ != str(record.get("id")):
                found[id_] = found.get(id_, {"id": id_}) | ({"at": at} if at else {})
    return list(found.values())
