"""The contract's rules for personal data, applied to rows before they are staged.

Both ways of reading a record end here, so a rule can't depend on the way. A table without a rule costs nothing.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, NamedTuple

import msgspec

from tributary.contracts.model import Column, Contract, Pii, Rule, TableSpec
from tributary.contracts.names import attribute, overlaps
from tributary.errors import RefusedError
from tributary.privacy.keys import Keys

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode
Change = Callable[[str], str | None] | None


class Suppressed(NamedTuple):
    """The people of one client who were erased: ids of their records in one source, digests of their addresses."""

    ids: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    #: Entries of the client on the list when it was read. It only grows, so the number says whether it has since.
    entries: int = 0


class Personal:
    """Applies the rules for personal data to one stream's rows.

    Args:
        contract: whose columns say what is personal, and their rules.
        keys: for columns that are hashed, and to recognise suppressed addresses.
        suppressed: whose records keep no personal data at all, whatever the rules are.

    Raises:
        RefusedError: something has to be hashed and there is no key.
    """

    def __init__(self, contract: Contract, keys: Keys | None = None, suppressed: Suppressed | None = None) -> None:
        self._suppressed = suppressed or Suppressed()
        self.suppressions = self._suppressed.entries
        self._keys = keys
        if keys is None and (contract.hashes or self._suppressed.mailboxes):
            raise RefusedError(f"{contract.name}: personal data has to be hashed, and there is no key")
        tables = {table.stream: table for table in contract.tables}
        self._ruled = {stream: _Rules(table, _ruled(table, keys), contract.extra) for stream, table in tables.items()}
        self._erased = {stream: _Rules(table, _none(table), Rule.DROP) for stream, table in tables.items()}
        self._subjects = [(attribute(name), member) for name, _, member in map(_parts, contract.subject)]
        self._mailboxes = [(attribute(column.name), "") for column in contract.columns if column.pii == Pii.EMAIL]
        self._mailboxes += [(attribute(name), member) for name, _, member in map(_parts, contract.mailboxes)]

    def is_suppressed(self, row: Any) -> bool:
        """Return True if the record is about an erased person; `row` is its own row as it was read."""
        ids, mailboxes, _ = self._suppressed
        if ids and any(_member(getattr(row, name), member) in ids for name, member in self._subjects):
            return True
        if not mailboxes or self._keys is None:
            return False
        texts = (_member(getattr(row, name), member) for name, member in self._mailboxes)
        return any(digest in mailboxes for text in texts if text for digest in self._keys.mailboxes(str(text)))

    def rows(self, stream: str, rows: Sequence[Any], *, suppressed: bool) -> Sequence[Any]:
        """The rows as they may be staged; those that came stay as they are, since children take over from them."""
        rules = (self._erased if suppressed else self._ruled)[stream]
        return [rules.apply(row) for row in rows] if rules.any else rows


class _Rules:
    """The rules of one table."""

    def __init__(self, table: TableSpec, changes: dict[str, Change], extra: Rule) -> None:
        self._changes = [(attribute(name), change) for name, change in changes.items()]
        self._drops_extra = extra == Rule.DROP
        self._paths = [path for column in table.columns if column.name in changes for path in column.path]
        self.any = bool(changes) or self._drops_extra

    def apply(self, row: Any) -> Any:
        row = copy(row)
        for name, change in self._changes:
            value = getattr(row, name)
            if value is not None:
                setattr(row, name, change(value) if change else None)
        if row._extra is not None:
            row._extra = None if self._drops_extra else self._left(row._extra)
        return row

    def _left(self, extra: dict[str, Any]) -> dict[str, Any] | None:
        """A value that didn't fit its column is no less personal for that."""
        return {path: value for path, value in extra.items() if not overlaps(path, self._paths)} or None


def _ruled(table: TableSpec, keys: Keys | None) -> dict[str, Change]:
    return {column.name: _change(column, keys) for column in table.columns if column.rule not in (None, Rule.CLEAR)}


def _change(column: Column, keys: Keys | None) -> Change:
    kind = column.pii
    if column.rule == Rule.DROP or kind is None or keys is None:
        return None
    return lambda text: keys.digest(kind, text)


def _none(table: TableSpec) -> dict[str, Change]:
    return {column.name: None for column in table.columns if column.pii}


def _parts(subject: str) -> tuple[str, str, str]:
    return subject.partition(".")


def _member(value: Any, path: str) -> Any:
    """The value itself, or the one at a dotted path in a JSON column; None where there is none."""
    if not path or value is None:
        return value
    try:
        for name in path.split("."):
            value = _object(value)[name]
        return _value(value)
    except (KeyError, msgspec.DecodeError):
        return None
