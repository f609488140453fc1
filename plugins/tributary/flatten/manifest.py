"""Describes a staged folder. The folder counts as complete only when its manifest exists."""

from datetime import datetime

import msgspec

from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.landing.lake import Part
from tributary.landing.plan import WorkItem


class StagedTable(msgspec.Struct, kw_only=True):
    """The rows of one raw table."""

    #: Rows of records, then deletion notices; both stand in the parts.
    rows: int = 0
    gone: int = 0
    #: Of the rows, those of records that the source has archived.
    archived: int = 0
    #: Rows that came with rejected records, so are in no part.
    rejected: int = 0
    parts: list[Part] = []
    #: First and last creation date among the rows, ISO; None when there are no rows.
    first_date: str | None = None
    last_date: str | None = None


class DriftReport(msgspec.Struct, kw_only=True):
    """One field that drifted, with how often and where it was first seen."""

    table: str
    kind: str
    path: str
    found: str
    records: int
    pointer: str


class RejectReport(msgspec.Struct, kw_only=True):
    """One way in which records break the contract, and how many do."""

    reason: str
    path: str
    records: int = 0

    def __str__(self) -> str:
        return f"{self.path} ({self.reason}) in {self.records}"


class StagedManifest(msgspec.Struct, kw_only=True):
    """A finished flattening of one landing folder."""

    folder: str
    landing_folder: str
    extraction_id: str
    item: WorkItem
    axis: str
    axis_reason: str
    observed_from: datetime
    observed_to: datetime
    #: Up to where the window was read; None: to its end.
    covered_until: datetime | None = None
    contract_version: int
    #: Fingerprint of the contract that the rows are of.
    contract: str = ""
    #: Entries of the client in ops.suppressions when the rows were made: whoever is added later is in them in clear.
    suppressions: int = 0
    #: Records received from the API, and of them set aside.
    received: int
    rejected: int
    #: Rejects without a key: what they are about is not known, so nothing may be taken for vanished.
    keyless_rejects: int
    #: Parts of the collection that could not be read, so that nothing may be taken for vanished either.
    unread: list[str] = []
    tables: dict[str, StagedTable]
    rejects: list[Part]
    #: Why they were set aside.
    reasons: list[RejectReport] = []
    drift: list[DriftReport]
    #: Requests, retries and errors of the extraction, by kind.
    requests: dict[str, int] = {}

    def refuse_another(self, contract: Contract) -> None:
        """Rows that were flattened under one contract must not be loaded under another, which was released meanwhile.

        Raises:
            RefusedError: the contract is not that of the rows.
        """
        if self.contract != contract.fingerprint:
            raise RefusedError(
                f"{contract.name} for client {self.item.client_id}, {self.item.window}: the rows in {self.folder} were "
                f"flattened under another contract (version {self.contract_version}; now it is version "
                f"{contract.version}) or other rules for personal data; nothing was loaded. Clear the flatten task, "
                "which reads the landed pages again"
            )
