"""What the pipeline needs of a warehouse. `hooks.warehouse` fulfils it with BigQuery."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from tributary.errors import TributaryError
from tributary.warehouse.schema import Field


class LoadRefusedError(Exception):
    """A load job did not take the rows; holds BigQuery's reasons, which name line and column and not the value."""


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
        """Create a table if it is not there, partitioned by DAY or MONTH of a column."""

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
            LoadRefusedError: BigQuery did not accept the rows.
        """
