"""Records that were merged into another, as the other tells."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import msgspec

from tributary.contracts.model import Contract
from tributary.contracts.names import attribute
from tributary.contracts.values import UnfitError, converter
from tributary.flatten.rows import MERGED, Drift, own_columns, row_type


def merged_into(own_id: str, texts: Iterable[Any]) -> list[dict[str, str]]:
    """`{id, at}` of each record that was merged into `own_id`; `at` is missing where no time is given.

    A text is `1;2`, or `1:epochms;2:epochms`. A record that kept its own id is not merged into itself.
    """
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        for entry in str(text or "").split(";"):
            id_, _, at = (part.strip() for part in entry.partition(":"))
            if id_ and id_ != own_id:
                found[id_] = found.get(id_, {"id": id_}) | ({"at": at} if at else {})
    return list(found.values())


class MergeRows:
    """The rows of the child table that leads from former ids to the record that is left; none without such a child."""

    def __init__(self, contract: Contract) -> None:
        self.stream: str | None = None
        for table in contract.tables:
            if table.child and table.child.path == MERGED:
                self.stream = table.stream
                self._row = row_type(table)
                self._inherited = [attrgetter(attribute(name)) for name in table.child.inherit.values()]
                self._columns = [(column.path[0], converter(column.type)) for column in own_columns(table)]

    def of(self, parent: Any, entries: list[dict[str, str]]) -> tuple[list[Any], list[Drift]]:
        """A row for each entry, and what drifted; `parent` is the row of the record that is left."""
        inherited = [get(parent) for get in self._inherited]
        rows, drift = [], []
        for entry in entries:
            values, unfit = [], []
            for path, convert in self._columns:
                value = None
                try:
                    value = convert(entry[path]) if path in entry else None
                except UnfitError as error:
                    unfit.append(Drift("type", path, str(error), msgspec.Raw(msgspec.json.encode(entry[path]))))
                values.append(value)
            rows.append(self._row(*inherited, *values, {found.path: found.value for found in unfit} or None))
            drift += unfit
        return rows, drift
