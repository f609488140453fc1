"""Finds the records of a person: those about whoever has a mailbox of a client."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from tributary.contracts.model import Contract, Pii, TableSpec
from tributary.errors import RefusedError
from tributary.flatten.rows import MERGED
from tributary.mailboxes import mailbox, mailbox_sql, spellings
from tributary.privacy.keys import Keys
from tributary.warehouse.literals import literal
from tributary.warehouse.protocol import Warehouse


class Person(NamedTuple):
    """One person of one client, as they are looked for. Statements hold hashes, since BigQuery keeps their text."""

    client_id: str
    #: The mailbox, in each spelling of its domain.
    emails: tuple[str, ...]
    #: Keyed hashes under the current key, and under any.
    hashes: tuple[str, ...]
    digests: tuple[str, ...]
    #: Source -> ids of the person's own records there, such as Stripe's customers.
    ids: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, client_id: str, email: str, keys: Keys) -> "Person":
        """
        Raises:
            RefusedError: it is no address.
        """
        address = mailbox(email)
        if address is None:
            raise RefusedError("that is no e-mail address")
        emails = spellings(address)
        hashes = tuple(filter(None, (keys.digest(Pii.EMAIL, email) for email in emails)))
        return cls(client_id, emails, hashes, tuple(keys.mailboxes(";".join(emails))), {})

    def is_mailbox(self, value: str) -> str:
        """The SQL condition that a value is the person's address, in clear or hashed."""
        known = literals(sha256(email.encode()).hexdigest() for email in self.emails)
        return f"({value} in ({literals(self.digests)}) or to_hex(sha256({mailbox_sql(value)})) in ({known}))"


def literals(values: Iterable[str]) -> str:
    return ", ".join(literal(value) for value in values)


def is_root(contract: Contract) -> bool:
    """True if the table's records are people, and not only refer to some."""
    return contract.subject == contract.key


def found(warehouse: Warehouse, person: Person, contracts: Iterable[Contract], labels: dict[str, str]) -> Person:
    """The person with the ids of their records, as they are known to raw and raw_history."""
    ids: dict[str, list[str]] = {}
    for contract in filter(is_root, contracts):
        for sql in _searches(warehouse, person, contract):
            rows = warehouse.query(sql, labels)
            ids.setdefault(contract.source, []).extend(str(row["id"]) for row in rows)
        known = ids.get(contract.source, [])
        for table in contract.tables:
            if table.child and table.child.path == MERGED and known:
                rows = warehouse.query(_former(warehouse, person.client_id, table, known), labels)
                known += [str(row["id"]) for row in rows]
    return person._replace(ids={source: tuple(dict.fromkeys(found)) for source, found in ids.items() if found})


def _searches(warehouse: Warehouse, person: Person, contract: Contract) -> Iterator[str]:
    table = contract.tables[0]
    emails = [f"coalesce(t.{column.name}, '')" for column in table.columns if column.pii == Pii.EMAIL]
    all_emails = ", ';', ".join(emails)
    for dataset in ("raw", "raw_history"):
        if warehouse.columns(f"{dataset}.{table.name}") is not None:
            yield (
                f"select distinct t.{table.key[0]} as id from `{warehouse.project}.{dataset}.{table.name}` as t "
                f"cross join unnest(split(concat({all_emails}), ';')) as part "
                f"where t.client_id = {literal(person.client_id)} and {person.is_mailbox('part')}"
            )


def _former(warehouse: Warehouse, client_id: str, table: TableSpec, ids: list[str]) -> str:
    """The ids of what was merged into a person's records."""
    own = next(column.name for column in table.columns if column.path == ("id",) and column.name in table.key[1:])
    return (
        f"select distinct {own} as id from `{warehouse.project}.raw.{table.name}` "
        f"where client_id = {literal(client_id)} and {table.parent_key[0]} in ({literals(ids)})"
    )
