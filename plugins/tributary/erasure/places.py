"""Takes a person out of what was stored: rows are emptied of personal data, folders of the lake are deleted."""

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from tributary.contracts.model import Contract, Pii, TableSpec
from tributary.erasure.person import Person, is_root, literals
from tributary.landing.lake import read_lines
from tributary.mailboxes import visible
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
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
    """Return the tables with rows of the person: stage tables first, the people last, so that they are found again by
    an erasure that was interrupted."""
    staged = warehouse.tables("raw_stage")
    for contract in sorted(contracts, key=is_root):
        # Children first: which of them are about the person is seen by their parents.
        for table in reversed(contract.tables):
            names = [f"raw_stage.{name}" for name in staged if name.startswith(f"{table.name}__")]
            for name in (*names, f"raw_history.{table.name}", f"raw.{table.name}"):
                have = warehouse.columns(name) or ()
                condition = _condition(warehouse, person, table, name, have)
                if condition is None:
                    continue
                sql = f"select count(*) as n from `{warehouse.project}.{name}` as t where {condition}"
                if rows := int(warehouse.query(sql, labels)[0]["n"]):
                    yield Place(name, rows, tuple(_personal(table, have)), condition)


def erase_rows(warehouse: Warehouse, place: Place, labels: dict[str, str]) -> None:
    """Empty the personal columns of the person's rows; ids, dates and amounts stay."""
    changes = ", ".join(f"{name} = null" for name in place.columns)
    warehouse.query(
        f"update `{warehouse.project}.{place.table}` as t set {changes}, _row_hash = '{_ERASED}' "
        f"where {place.condition}",
        labels,
    )


def _personal(table: TableSpec, have: Container[str]) -> list[str]:
    names = [*(column.name for column in table.columns if column.pii), "_extra"]
    return [name for name in names if name in have]


def _condition(warehouse: Warehouse, person: Person, table: TableSpec, name: str, have: Container[str]) -> str | None:
    """Rows of the table `name` about the person that hold something personal; None where it can't be about anybody.
    `have`: its columns, of which an older one may lack some, and the rejects of a stage load have none."""
    personal = _personal(table, have)
    about = _about(person, table, have)
    if table.child and not table.subject and all(column in have for column in table.parent_key):
        about += _of_parents(warehouse, person, table, name)
    if not personal or not about:
        return None
    holds = " or ".join(f"t.{column} is not null" for column in personal)
    return f"t.client_id = {literal(person.client_id)} and ({' or '.join(about)}) and ({holds})"


def _about(person: Person, table: TableSpec, have: Container[str], alias: str = "t") -> list[str]:
    """By which of its columns a row can be about the person, each as a condition."""
    ids = person.ids.get(table.contract.source)
    subjects = [subject for subject in table.subject if ids and subject.partition(".")[0] in have]
    emails = [column.name for column in table.columns if column.pii == Pii.EMAIL]
    mailboxes = [mailbox for mailbox in (*emails, *table.mailboxes) if mailbox.partition(".")[0] in have]
    return [f"{_member(alias, subject)} in ({literals(ids or ())})" for subject in subjects] + [
        person.is_mailbox(_member(alias, mailbox)) for mailbox in mailboxes
    ]


def _of_parents(warehouse: Warehouse, person: Person, table: TableSpec, name: str) -> list[str]:
    """The same for the rows of a child that doesn't say itself whom it is about: by their parents' rows, wherever
    these are."""
    own = table.contract.tables[0]
    places = [f"raw.{own.name}", f"raw_history.{own.name}"]
    if name.startswith("raw_stage."):
        places.append(name.replace(f".{table.name}__", f".{own.name}__"))
    mine, theirs = ", ".join(f"t.{key}" for key in table.parent_key), ", ".join(f"p.{key}" for key in own.key)
    return [
        f"({mine}) in (select ({theirs}) from `{warehouse.project}.{place}` as p "
        f"where p.client_id = {literal(person.client_id)} and ({' or '.join(about)}))"
        for place in places
        if (about := _about(person, own, warehouse.columns(place) or (), "p"))
    ]


def _member(alias: str, name: str) -> str:
    column, _, member = name.partition(".")
    return f"json_value({alias}.{column}, '$.{member}')" if member else f"{alias}.{column}"


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


def _pattern(person: Person, source: str) -> re.Pattern[str]:
    addresses = (email.partition("@") for email in person.emails)
    spelled = (rf"{re.escape(local)}(\+[^@\"]*)?@{re.escape(domain)}(?![\w.-])" for local, _, domain in addresses)
    ids = [f'"{re.escape(id_)}"' for id_ in person.ids.get(source, ())]
    hashes = [re.escape(digest) for digest in person.digests]
    return re.compile("|".join([*(rf"(?<![\w.-]){address}" for address in spelled), *ids, *hashes]), re.IGNORECASE)


def _holds(bucket: Any, name: str, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(_visible(line)) for line in read_lines(bucket, name))


def _visible(line: bytes) -> str:
    """A line of JSON as text; where not all of it is plain ASCII, as addresses are compared."""
    text = line.decode(errors="replace")
    if text.isascii() and "\\u" not in text:
        return text
    return visible(_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text))
