"""Takes a person out of what was stored: rows are emptied of personal data, folders of the lake are deleted."""

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from tributary.contracts.model import Contract, Pii, TableSpec
from tributary.lake import read_lines
from tributary.personal.person import Person, is_root, literals
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse

_ERASED = "erased"
"""In place of the row's hash, which was taken over what is gone; the next load of the record writes its own."""


class Place(NamedTuple):
    """One table with rows that still hold something personal of the person."""

    table: str
    rows: int
    #: Its personal columns, and the SQL condition of these rows.
    columns: tuple[str, ...]
    condition: str


class Folder(NamedTuple):
    """One folder of the lake that holds the person, in at least one of its objects."""

    name: str
    objects: int


def places(
    warehouse: Warehouse, person: Person, contracts: Iterable[Contract], labels: dict[str, str]
) -> Iterator[Place]:
    """Where rows of the person are: stage tables first, the people themselves last, so that they are found again by
    an erasure that was interrupted."""
    staged = warehouse.tables("raw_stage")
    for contract in sorted(contracts, key=is_root):
        for table in contract.tables:
            names = [f"raw_stage.{name}" for name in staged if name.startswith(f"{table.name}__")]
            for name in (*names, f"raw_history.{table.name}", f"raw.{table.name}"):
                have = warehouse.columns(name) or ()
                condition = _condition(person, table, have)
                if condition is None:
                    continue
                sql = f"select count(*) as n from `{warehouse.project}.{name}` where {condition}"
                if rows := int(warehouse.query(sql, labels)[0]["n"]):
                    yield Place(name, rows, tuple(_personal(table, have)), condition)


def erase_rows(warehouse: Warehouse, place: Place, labels: dict[str, str]) -> None:
    """Empty the personal columns of the person's rows; ids, dates and amounts stay."""
    changes = ", ".join(f"{name} = null" for name in place.columns)
    warehouse.query(
        f"update `{warehouse.project}.{place.table}` set {changes}, _row_hash = '{_ERASED}' where {place.condition}",
        labels,
    )


def _personal(table: TableSpec, have: Container[str]) -> list[str]:
    names = [*(column.name for column in table.columns if column.pii), "_extra"]
    return [name for name in names if name in have]


def _condition(person: Person, table: TableSpec, have: Container[str]) -> str | None:
    """Rows about the person that hold something personal; None for a table that can't be about anybody. `have`: its
    columns, of which an older one may lack some, and the rejects of a stage load have none."""
    ids = person.ids.get(table.contract.source)
    subjects = [subject for subject in table.subject if ids and subject.partition(".")[0] in have]
    of_ids = [f"{_subject(subject)} in ({literals(ids or ())})" for subject in subjects]
    emails = [column.name for column in table.columns if column.pii == Pii.EMAIL and column.name in have]
    personal = _personal(table, have)
    if not personal or not (of_ids or emails):
        return None
    mailboxes = [person.is_mailbox(name) for name in emails]
    holds = " or ".join(f"{name} is not null" for name in personal)
    about = " or ".join(of_ids + mailboxes)
    return f"client_id = {literal(person.client_id)} and ({about}) and ({holds})"


def _subject(subject: str) -> str:
    column, _, member = subject.partition(".")
    return f"json_value({column}, '$.{member}')" if member else column


def folders(bucket: Any, person: Person, contracts: Iterable[Contract]) -> Iterator[Folder]:
    """The landing and staged folders in which the address or the id of one of the person's records stands."""
    patterns = {contract.source: _pattern(person, contract.source) for contract in contracts}
    for contract in contracts:
        for zone in ("landing", "staged"):
            prefix = f"{zone}/{contract.source}/{contract.stream}/{person.client_id}/"
            objects: dict[str, list[str]] = {}
            for blob in bucket.client.list_blobs(bucket.name, prefix=prefix):
                objects.setdefault(blob.name.rpartition("/")[0], []).append(blob.name)
            for folder, names in objects.items():
                parts = (name for name in names if name.endswith(".gz"))
                if any(_holds(bucket, name, patterns[contract.source]) for name in parts):
                    yield Folder(folder, len(names))


def delete_folder(bucket: Any, folder: Folder) -> None:
    """Delete a folder, its manifest first: without one it counts as never finished."""
    names = [blob.name for blob in bucket.client.list_blobs(bucket.name, prefix=f"{folder.name}/")]
    for name in sorted(names, key=lambda name: not name.endswith("manifest.json")):
        bucket.blob(name).delete()


def _pattern(person: Person, source: str) -> re.Pattern[bytes]:
    local, _, domain = person.email.partition("@")
    address = rf"{re.escape(local)}(\+[^@\"]*)?@{re.escape(domain)}(?![\w.-])"
    ids = [f'"{re.escape(id_)}"' for id_ in person.ids.get(source, ())]
    hashes = [re.escape(digest) for digest in person.digests]
    return re.compile("|".join([rf"(?<![\w.-]){address}", *ids, *hashes]).encode(), re.IGNORECASE)


def _holds(bucket: Any, name: str, pattern: re.Pattern[bytes]) -> bool:
    return any(pattern.search(line) for line in read_lines(bucket, name))
