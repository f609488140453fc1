"""Flattening of one landing folder into staged rows, page by page."""

import logging
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from tributary.contracts.model import Contract, Mode
from tributary.contracts.names import attribute
from tributary.errors import RefusedError
from tributary.flatten.manifest import DriftReport, RejectReport, StagedManifest, StagedTable
from tributary.flatten.merges import MergeRows, merged_into
from tributary.flatten.reader import Reader
from tributary.flatten.rows import Drift, Gone, Reading, Rejected, RejectError, key_of
from tributary.landing.lake import LineWriter, check_parts, read_json, read_lines, write_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.privacy.rows import Personal
from tributary.sources.base import Page, Source
from tributary.windows import stamp

log = logging.getLogger(__name__)

_NO_DATE = "1970-01-01"
#: Why a record is rejected that is not as its contract has it; in a frozen stream that is drift as well.
_DRIFT = ("type", "missing")
_INCOMPLETE = "not all of it could be had of the API"
_encode = msgspec.json.Encoder().encode
_pages = msgspec.json.Decoder(Page)


class Reject(msgspec.Struct, kw_only=True):
    """A record that was set aside: what is wrong and where it lies, without any of its content."""

    client_id: str
    source: str
    stream: str
    table_name: str
    #: The record's key, parts joined by `|`; None where it has none.
    record_key: str | None
    reason: str
    column_path: str
    detail: str
    landing_object: str
    landing_line: int
    landing_item: int
    contract_version: int
    extraction_id: str
    _observed_at: str


def flatten(
    *,
    source: Source,
    contract: Contract,
    landing: LandingManifest,
    attempt_id: str,
    bucket: Any,
    personal: Personal | None = None,
    refused: Mapping[str, RejectError] | None = None,
) -> StagedManifest:
    """Flatten one landing folder. `personal`: who was erased, and the key of what is hashed. `refused`: keys of records
    that the warehouse did not take, which become rejects.

    Peak memory is one page as structs, its rows, and one open part per table.

    Raises:
        RefusedError: more rejects than the contract's limit, drift in a frozen stream, or no key for what is hashed.
    """
    folder = f"staged/{landing.folder.removeprefix('landing/')}/{attempt_id}"
    done = read_json(bucket, manifest_name(folder), StagedManifest)
    if done:
        return done
    check_parts(bucket, landing.parts, "Clear the extract task to read the window again")
    reader, personal = Reader(source, contract), personal or Personal(contract)
    work = _Flattening(reader, contract, personal, landing, folder, bucket, refused=refused)
    work.read()
    if work.half:
        # A further page showed that a record breaks the contract whose first items were staged already. Begin again,
        # knowing it: memory stays that of a page, and such records are rare.
        work = _Flattening(reader, contract, personal, landing, folder, bucket, work.half, refused)
        work.read()
    manifest = work.finish()
    _check(contract, manifest)
    write_json(bucket, manifest_name(folder), manifest)
    rows = {name: table.rows for name, table in manifest.tables.items()}
    log.info("%s: %d received, %d rejected, rows %s", contract.name, manifest.received, manifest.rejected, rows)
    for drift in manifest.drift:
        log.warning(
            "%s: %s field %s (%s) in %d records", drift.table, drift.kind, drift.path, drift.found, drift.records
        )
    return manifest


def _check(contract: Contract, manifest: StagedManifest) -> None:
    name, item = contract.name, manifest.item
    drifted = {f"{drift.table}.{drift.path} ({drift.kind})" for drift in manifest.drift}
    own = contract.tables[0].name
    drifted |= {f"{own}.{broken.path} ({broken.reason})" for broken in manifest.reasons if broken.reason in _DRIFT}
    if contract.mode == Mode.FREEZE and drifted:
        paths = ", ".join(sorted(drifted))
        raise RefusedError(
            f"{name} for client {item.client_id}, {item.window}: the contract is frozen, but {paths} drifted; nothing "
            "was loaded. Mend the source, or declare it in the contract, and clear this task"
        )
    limit = contract.limits.rejects
    if manifest.rejected > max(contract.limits.floor(limit), limit * manifest.received):
        reasons = ", ".join(map(str, manifest.reasons))
        raise RefusedError(
            f"{name} for client {item.client_id}, {item.window}: {manifest.rejected} of {manifest.received} records "
            f"break the contract, more than its limit of {limit:.1%}: {reasons}; nothing was loaded. "
            f"{manifest.folder} lists them"
        )


Position = tuple[str, int, int]
"""Landing object, line and item of a record."""


def _completed(page: Page) -> Page:
    """The page with what its request says laid over each item."""
    if not page.given:
        return page
    given = {name: msgspec.Raw(_encode(value)) for name, value in page.given.items()}
    body = msgspec.json.decode(page.body, type=dict[str, list[dict[str, msgspec.Raw]]])
    items = page.items or ""
    body = {items: [record | given for record in body[items]]}
    return msgspec.structs.replace(page, body=msgspec.Raw(_encode(body)))


class _Output:
    """The rows of one table on their way into the lake."""

    def __init__(self, name: str, folder: str, bucket: Any) -> None:
        self.name = name
        self.staged = StagedTable()
        self._writer = LineWriter(bucket, f"{folder}/{name}")

    def write(self, line: bytes) -> None:
        self._writer.write(line)
        if self._writer.full:
            self.close()

    def rows(self, rows: Sequence[Any], system: bytes) -> None:
        """Stage rows: each is encoded once, hashed, and followed by the columns of the system, which differ from run
        to run; so the hash covers the contract's columns and what drifted."""
        for row in rows:
            content = _encode(row)
            digest = blake2b(content, digest_size=16).hexdigest().encode()
            self.write(b'%b%b%b"}' % (content[:-1], system, digest))
        self.staged.rows += len(rows)

    def close(self) -> None:
        if part := self._writer.close():
            self.staged.parts = [*self.staged.parts, part]

    def saw_date(self, day: str) -> None:
        staged = self.staged
        staged.first_date = min(staged.first_date or day, day)
        staged.last_date = max(staged.last_date or day, day)


class _Parent:
    """A record that was staged, as its further pages need it."""

    __slots__ = ("at", "day", "row", "suppressed", "system")

    def __init__(self, row: Any, day: str, system: bytes, at: Position, suppressed: bool) -> None:
        self.row = row
        self.day = day
        #: Its encoded columns of the system, up to the row's hash.
        self.system = system
        self.at = at
        #: Whether it is about a person who was erased.
        self.suppressed = suppressed


class _Flattening:
    """One pass over a folder."""

    def __init__(
        self,
        reader: Reader,
        contract: Contract,
        personal: Personal,
        landing: LandingManifest,
        folder: str,
        bucket: Any,
        rejected: Mapping[Position, RejectError] | None = None,
        refused: Mapping[str, RejectError] | None = None,
    ) -> None:
        self._reader = reader
        self._contract = contract
        self._personal = personal
        self._landing = landing
        self._folder = folder
        self._bucket = bucket
        self._created = attribute(contract.time.created) if contract.time else None
        edges = any(child.associate for child in contract.children)
        self._incomplete = RejectError("unreadable", "associations" if edges else "", _INCOMPLETE)
        self._outputs = {table.stream: _Output(table.name, folder, bucket) for table in contract.tables}
        self._own = self._outputs[contract.stream]
        self._rejects = _Output("rejects", folder, bucket)
        self._received = self._rejected = self._keyless = self._further = 0
        self._drift: dict[tuple[str, str, str, str], DriftReport] = {}
        self._reasons: dict[tuple[str, str], RejectReport] = {}
        self._at: Position = ("", 0, 0)
        item = landing.item
        self._system = {
            "client_id": item.client_id,
            "_extracted_at": stamp(landing.observed_from),
            "_window_start": None if landing.axis == "whole" else item.window_start,
            "_window_end": stamp(landing.covered_until or item.window.end),
            "_contract_version": contract.version,
        }
        self._constant = _encode(self._system)[1:-1]
        #: Parents of the last page of records, for the nested pages that follow it; None for a rejected one.
        self._parents: dict[str, _Parent | None] = {}
        #: Records that an earlier pass found broken by one of their further pages; and those that this one finds.
        self._broken = dict(rejected or {})
        self._refused = refused or {}
        self._merges = MergeRows(contract)
        self.half: dict[Position, RejectError] = {}

    def read(self) -> None:
        """Take in every landed page."""
        for part in self._landing.parts:
            number = 0
            for number, line in enumerate(read_lines(self._bucket, part.name), start=1):
                self._at = (part.name, number, 0)
                self._page(_pages.decode(line))
            if number != part.lines:
                raise RefusedError(
                    f"{self._contract.name}: {part.name} holds {number} pages, expected {part.lines}; nothing was "
                    "loaded. Clear the extract task to read the window again"
                )

    def _page(self, page: Page) -> None:
        observed = stamp(page.observed_at)
        if page.definitions:
            self._reader.define(page)
        elif page.gone:
            self._gone(msgspec.json.decode(page.body)["id"], observed)
        elif page.child:
            self._nested(page, page.child)
        else:
            self._parents = {}
            name, line, _ = self._at
            incomplete = set(page.incomplete)
            for number, reading in enumerate(self._reader.records(_completed(page)), start=1):
                self._at = (name, line, number)
                if incomplete and self._key(reading) in incomplete:
                    self._broken[self._at] = self._incomplete
                self._record(reading, observed)

    def _key(self, reading: Reading | Gone | Rejected) -> str | None:
        if isinstance(reading, Reading):
            return key_of(self._contract, reading.row)
        return reading.key if isinstance(reading, Rejected) else None

    def finish(self) -> StagedManifest:
        for output in (*self._outputs.values(), self._rejects):
            output.close()
        landing = self._landing
        self._compare("records", self._received, landing.records)
        self._compare("further nested items", self._further, landing.children)
        return StagedManifest(
            folder=self._folder,
            landing_folder=landing.folder,
            extraction_id=landing.extraction_id,
            item=landing.item,
            axis=landing.axis,
            axis_reason=landing.axis_reason,
            observed_from=landing.observed_from,
            observed_to=landing.observed_to,
            covered_until=landing.covered_until,
            contract_version=self._contract.version,
            contract=self._contract.fingerprint,
            suppressions=self._personal.suppressions,
            received=self._received,
            rejected=self._rejected,
            keyless_rejects=self._keyless,
            unread=landing.unread,
            tables={output.name: output.staged for output in self._outputs.values()},
            rejects=self._rejects.staged.parts,
            reasons=sorted(self._reasons.values(), key=lambda found: -found.records),
            drift=list(self._drift.values()),
            requests=self._landing.requests,
        )

    def _compare(self, what: str, found: int, expected: int) -> None:
        """Compare the counts of the extraction with the records in the landing objects."""
        if found != expected:
            landing = self._landing
            raise RefusedError(
                f"{self._contract.name} for client {landing.item.client_id}, {landing.item.window}: {landing.folder} "
                f"holds {found} {what}, expected {expected}; nothing was loaded. Clear the extract task to read again"
            )

    def _record(self, reading: Reading | Gone | Rejected, observed: str) -> None:
        """One record of the stream with what is nested in it: all of it is staged, or it is rejected as a whole."""
        if isinstance(reading, Gone):
            self._gone(reading.id, observed)
            return
        self._received += 1
        reading = self._judged(reading)
        if isinstance(reading, Rejected):
            self._reject(reading, observed)
            return
        row = reading.row
        created = getattr(row, self._created) if self._created else None
        day = created[:10] if created else _NO_DATE
        # An archived record that doesn't say since when is archived now, at the latest.
        deleted_at = observed if reading.deleted_at == "" else reading.deleted_at
        self._own.staged.archived += deleted_at is not None
        times = {"_record_date": day, "_observed_at": observed, "_deleted_at": deleted_at}
        system = b',%b,%b,"_row_hash":"' % (self._constant, _encode(times)[1:-1])
        parent = _Parent(row, day, system, self._at, self._personal.is_suppressed(row))
        self._parents[key_of(self._contract, row)] = parent
        self._write(self._contract.stream, (row,), parent)
        for stream, rows in reading.children:
            self._write(stream, rows, parent)
        for stream, found in reading.drift:
            self._count_drift(self._outputs[stream].name, found)
        merged = merged_into(key_of(self._contract, row), reading.merged)
        if merged and self._merges.stream:
            rows, unfit = self._merges.of(row, merged)
            self._write(self._merges.stream, rows, parent)
            for found in unfit:
                self._count_drift(self._outputs[self._merges.stream].name, found)
        for entry in merged:
            self._gone(entry["id"], observed)

    def _judged(self, reading: Reading | Rejected) -> Reading | Rejected:
        """The record as a reject, where it is known to be broken by more than its own fields."""
        if self._refused and isinstance(reading, Reading):
            refusal = self._refused.get(key_of(self._contract, reading.row))
            self._broken |= {self._at: refusal} if refusal else {}
        error = self._broken.get(self._at)
        if error is None:
            return reading
        if isinstance(reading, Rejected):
            return reading._replace(error=error)
        nested = {stream: len(rows) for stream, rows in reading.children}
        return Rejected(error, key_of(self._contract, reading.row), nested, reading.deleted_at, reading.merged)

    def _nested(self, page: Page, stream: str) -> None:
        """Further items of parents that the last page of records brought."""
        rows = {key: parent and parent.row for key, parent in self._parents.items()}
        try:
            groups = self._reader.nested(page, rows)
        except KeyError:
            name, line, _ = self._at
            raise RefusedError(
                f"{self._outputs[stream].name}: {name} line {line} belongs to a record that the page before it "
                "doesn't hold; nothing was loaded. Clear the extract task to read the window again"
            ) from None
        for group in groups:
            self._further += group.items
            parent = self._parents[group.parent]
            if parent and group.parent in page.incomplete:
                path = next(child.path for child in self._contract.children if child.stream == stream)
                self.half[parent.at] = RejectError("unreadable", path, _INCOMPLETE)
            elif group.error and parent:
                self.half[parent.at] = group.error
            elif parent is None:
                self._outputs[stream].staged.rejected += group.items
            else:
                self._write(stream, group.rows, parent)
                for found in group.drift:
                    self._count_drift(self._outputs[stream].name, found)

    def _write(self, stream: str, rows: Sequence[Any], parent: _Parent) -> None:
        if rows:
            output = self._outputs[stream]
            output.rows(self._personal.rows(stream, rows, suppressed=parent.suppressed), parent.system)
            output.saw_date(parent.day)

    def _gone(self, id_: str, observed: str) -> None:
        """A deletion notice: a row of nothing but the key."""
        key = self._contract.key[0]
        self._own.write(_encode({key: id_, **self._system, "_observed_at": observed, "_deleted_at": observed}))
        self._own.staged.gone += 1

    def _reject(self, reading: Rejected, observed: str) -> None:
        error, key = reading.error, reading.key
        self._rejected += 1
        report = self._reasons.setdefault(
            (error.reason, error.path), RejectReport(reason=error.reason, path=error.path)
        )
        report.records += 1
        self._keyless += key is None
        self._parents[key or ""] = None
        self._own.staged.rejected += 1
        for stream, items in reading.nested.items():
            self._outputs[stream].staged.rejected += items
        object_name, line, item = self._at
        reject = Reject(
            client_id=self._landing.item.client_id,
            source=self._contract.source,
            stream=self._contract.stream,
            table_name=self._own.name,
            record_key=key,
            reason=error.reason,
            column_path=error.path,
            detail=error.detail,
            landing_object=object_name,
            landing_line=line,
            landing_item=item,
            contract_version=self._contract.version,
            extraction_id=self._landing.extraction_id,
            _observed_at=observed,
        )
        self._rejects.write(_encode(reject))
        if reading.deleted_at is not None and key and len(self._contract.key) == 1:
            # Whatever else of it can't be read, it is deleted: its last good row must not go on living.
            self._gone(key, observed)
        for entry in merged_into(key or "", reading.merged):
            # Nor what was merged into it: there is no other place that says so.
            self._gone(entry["id"], observed)

    def _count_drift(self, table: str, found: Drift) -> None:
        report = self._drift.get((table, found.kind, found.path, found.found))
        if report is None:
            pointer = "{}#{}:{}".format(*self._at)
            report = DriftReport(
                table=table, kind=found.kind, path=found.path, found=found.found, records=0, pointer=pointer
            )
            self._drift[(table, found.kind, found.path, found.found)] = report
        report.records += 1
