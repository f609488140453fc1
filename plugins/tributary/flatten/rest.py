"""The members of an object that no column takes, kept together in one JSON column."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tributary.contracts.model import Column, Contract, TableSpec
from tributary.contracts.values import UnfitError
from tributary.flatten.rows import NULL

Conversions = Mapping[str, Callable[[Any], Any]]
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode


class Rest:
    """Selects and types the members of an object that a `rest` column keeps."""

    def __init__(self, column: Column, table: TableSpec) -> None:
        self.path = column.path[0]
        paths = [path for other in table.columns for path in other.path]
        paths += [*table.known, *table.contract.merged_ids]
        inside = (path.removeprefix(f"{self.path}.") for path in paths if path.startswith(f"{self.path}."))
        self._taken = {name.partition(".")[0] for name in inside}
        #: How the values of the account's own fields are typed, by name.
        self.conversions: Conversions = {}

    def read(self, raw: Any) -> tuple[dict[str, Any] | None, list[tuple[str, str, msgspec.Raw]]]:
        """Return the members that are kept, in the order of their names, and those that don't fit: path, type, value.

        A member without a value (null) is left out; one that was emptied (an empty text) stays, as null where its type
        has no empty text. None when nothing is left.

        Raises:
            msgspec.DecodeError: it is no object.
        """
        members = _members(raw)
        left: dict[str, Any] = {}
        unfit: list[tuple[str, str, msgspec.Raw]] = []
        for name in sorted(members.keys() - self._taken):
            member = members[name]
            if member == NULL:
                continue
            convert = self.conversions.get(name)
            try:
                left[name] = convert(_value(member)) if convert else member
            except UnfitError as error:
                unfit.append((f"{self.path}.{name}", str(error), member))
            except msgspec.DecodeError:
                unfit.append((f"{self.path}.{name}", "unreadable", member))
        return left or None, unfit


def rests_of(contract: Contract) -> dict[str, Rest]:
    """The columns of a contract that keep the rest of something, by name."""
    own = contract.tables[0]
    return {column.name: Rest(column, own) for column in own.columns if column.as_ == "rest"}
