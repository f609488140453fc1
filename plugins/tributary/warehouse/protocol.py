"""Defines the interface of a warehouse. `hooks.warehouse` fulfils it with BigQuery."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tributary.errors import TributaryError
from tributary.warehouse.schema import Field


@dataclass(frozen=True)
class RefusedRow:
    """A row that a load job did not take."""

    uri: str
    #: Of its first byte in the object, uncompressed.
    position: int
    #: BigQuery's reason, which names the column and not the value.
    reason: str


class LoadRefusedError(Exception):
    """A load job did not take all rows; the table is not to be used. Holds BigQuery's reasons, without values.

    Of many refused rows BigQuery names a sample; of other troubles none.
    """

    def __init__(self, reasons: str, rows: Sequence[RefusedRow] = ()) -> None:
        super().__init__(reasons)
        self.rows = rows


class ConflictError(TributaryError):
    """Another transaction changed the same table meanwhile; nothing was written, and the same again may succeed."""


class Warehouse(Protocol):
    """One BigQuery project. Tables are named `dataset.table`."""

    project: str

    def query(self, sql: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        """Run a statement or script and return the rows of its last result.

        Raises:
            ConflictError: the warehouse cancelled it in favour of another transaction on the same table.
            RefusedError: the script itself refused to go on.
            TributaryError: anything else that went wrong.
        """

    def rows(self, sql: str, labels: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        """The same, a page at a time."""

    def columns(self, table: str) -> dict[str, Field] | None:
        """The columns of a table by name, in order; None where there is no such table."""

    def tables(self, dataset: str) -> list[str]:
        """The names of a dataset's tables."""

    def list_rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a small table; none where there is no such table."""

    def create(
        self,
        table: str,
        schema: Sequence[Field],
        *,
        partition: str,
        partition_by: str,
        cluster: Sequence[str],
        description: str,
    ) -> None:
        """Create a table if it is not there, partitioned by DAY or MONTH of a column. It never expires."""

    def keep(self, tables: Iterable[str], *, partitioned: bool = False) -> None:
        """Keep tables that were just made, and their partitions, although their dataset lets tables expire."""

    def put_columns(self, table: str, fields: Iterable[Field]) -> None:
        """Add columns, nullable ones; those that are there take over the description.

        Raises:
            TributaryError: somebody else changed the table at the same moment.
        """

    def load(
        self, uris: Sequence[str], table: str, schema: Sequence[Field], *, expires_hours: int, labels: dict[str, str]
    ) -> int:
        """Load gzip NDJSON objects into a fresh table that expires, and return its rows.

        Raises:
            LoadRefusedError: BigQuery did not accept all rows.
        """
