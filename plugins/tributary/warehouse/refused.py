"""Rows that a load job refused, back to the records that they came from."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tributary.contracts.model import Contract, TableSpec
from tributary.flatten.rows import RejectError
from tributary.landing.lake import read_lines
from tributary.warehouse.protocol import RefusedRow


def refused_records(bucket: Any, contract: Contract, rows: Iterable[RefusedRow]) -> dict[str, RejectError]:
    """Key of each record of which a row was refused, its own or one of its children's, with the reason.

    A row that is at no such place, or is a deletion notice, is of no record.
    """
    by_object: dict[str, list[RefusedRow]] = {}
    for row in rows:
        by_object.setdefault(row.uri.removeprefix(f"gs://{bucket.name}/"), []).append(row)
    return {
        key: RejectError("refused", table.name, row.reason)
        for name, refused in by_object.items()
        for table in contract.tables
        if name.rpartition("/")[2].rpartition("-")[0] == table.name
        for row, key in _keys(bucket, name, table, refused)
    }


def _keys(bucket: Any, name: str, table: TableSpec, rows: list[RefusedRow]) -> Iterable[tuple[RefusedRow, str]]:
    waiting = sorted(rows, key=lambda row: row.position)
    columns = table.parent_key or table.key
    end = 0
    for line in read_lines(bucket, name):
        end += len(line)
        while waiting and waiting[0].position < end:
            row, staged = waiting.pop(0), msgspec.json.decode(line)
            if "_row_hash" in staged:
                yield row, "|".join(str(staged[column]) for column in columns)
        if not waiting:
            return
