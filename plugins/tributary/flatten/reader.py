"""A landed page as rows: by the fast path as a whole or record by record, by the careful path for what is left."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from tributary.api.mending import MARK
from tributary.contracts.model import Contract
from tributary.flatten.careful import CarefulReader
from tributary.flatten.fast import DECLINED, FastReader
from tributary.flatten.rest import rests_of
from tributary.flatten.rows import Gone, Nested, Reading, Rejected, RejectError
from tributary.sources.base import Page, Source

UNREADABLE = RejectError("unreadable", "", "holds what no JSON decoder takes")


class Reader:
    """Reads the pages of one stream."""

    def __init__(self, source: Source, contract: Contract) -> None:
        self._source = source
        self._rests = rests_of(contract)
        self._fast = FastReader(source, contract, self._rests)
        self._careful = CarefulReader(source, contract, self._rests)

    def define(self, page: Page) -> None:
        """Take in the definitions of the account's own fields."""
        conversions = self._source.conversions(msgspec.json.decode(page.body)[page.items])
        for rest in self._rests.values():
            rest.conversions = conversions

    def records(self, page: Page) -> Iterator[Reading | Gone | Rejected]:
        """The records of a page, in order."""
        if page.received:
            return map(self._unless_unreadable, self._careful.records(page.body, page.items))
        try:
            structs = self._fast.records(page.body, page.items)
        except DECLINED:
            return map(self._record, self._careful.records(page.body, page.items))
        return self._structs(structs, page)

    def _structs(self, structs: list[Any], page: Page) -> Iterator[Reading | Gone | Rejected]:
        raws = None
        for number, struct in enumerate(structs):
            try:
                reading: Reading | Gone | Rejected = self._fast.read(struct)
            except DECLINED:
                raws = raws or self._careful.records(page.body, page.items)
                reading = self._careful.read(raws[number])
            yield reading

    def _unless_unreadable(self, raw: Any) -> Reading | Gone | Rejected:
        return self._careful.rejected(raw, UNREADABLE) if MARK in bytes(raw) else self._record(raw)

    def _record(self, raw: Any) -> Reading | Gone | Rejected:
        with suppress(*DECLINED):
            return self._fast.read(self._fast.record(raw))
        return self._careful.read(raw)

    def nested(self, page: Page, parents: Mapping[str, Any]) -> list[Nested]:
        """The further items of a page; `parents` holds the row of each parent, None for one that was rejected.

        Raises:
            KeyError: a parent that is not there.
        """
        assert page.child
        assert page.items
        if page.received:
            groups = self._careful.groups(page.body, page.items, page.parent)
            return [self._nested(page.child, parent, parents[parent], items) for parent, items in groups]
        with suppress(*DECLINED):
            found = []
            for parent, items in self._fast.groups(page.body, page.items, page.child, page.parent):
                row = parents[parent]
                rows = () if row is None else self._fast.items(page.child, row, items)
                found.append(Nested(parent, len(items), rows, ()))
            return found
        groups = self._careful.groups(page.body, page.items, page.parent)
        return [self._nested(page.child, parent, parents[parent], items) for parent, items in groups]

    def _nested(self, child: str, parent: str, row: Any, items: list[Any]) -> Nested:
        if row is None:
            return Nested(parent, len(items), (), ())
        if any(MARK in bytes(item) for item in items):
            return Nested(parent, len(items), (), (), UNREADABLE)
        try:
            return Nested(parent, len(items), *self._careful.items(child, row, items))
        except RejectError as error:
            return Nested(parent, len(items), (), (), error)
