"""Flattening of one landing folder into staged rows, page by page."""

import logging
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from tributary.contracts.model import Contract, Mode, TableSpec
from tributary.errors import RefusedError
from tributary.flatten.fields import Drift, RejectError, RowReader, items_at
from tributary.flatten.manifest import DriftReport, StagedManifest, StagedTable
from tributary.flatten.merges import MERGED, merged_into
from tributary.lake import LineWriter, read_json, read_lines, write_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.sources.base import Page, Source
from tributary.windows import stamp

log = logging.getLogger(__name__)

#: Below this many affected records a share says nothing: one of three is no outage.
SHARE_FLOOR = 10
_NO_DATE = "1970-01-01"
_encoder = msgspec.json.Encoder()
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
    *, source: Source, contract: Contract, landing: LandingManifest, attempt_id: str, bucket: Any
) -> StagedManifest:
    """Flatten one landing folder.

    Peak memory is one page, its parents' inherited values, and one open part per table.

    Raises:
        RefusedError: more rejects than the contract's limit, or drift in a frozen stream.
    """
    folder = f"staged/{landing.folder.removeprefix('landing/')}/{attempt_id}"
    done = read_json(bucket, manifest_name(folder), StagedManifest)
    if done:
        return done
    work = _Flattening(source, contract, landing, folder, bucket)
    for part in landing.parts:
        line_number = 0
        for line_number, line in enumerate(read_lines(bucket, part.name), start=1):
            work.page(_pages.decode(line), part.name, line_number)
        if line_number != part.lines:
            raise RefusedError(
                f"{contract.name}: {part.name} holds {line_number} pages, expected {part.lines}; nothing was loaded. "
                "Clear the extract task to read the window again"
            )
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
    if contract.mode == Mode.FREEZE and manifest.drift:
        paths = ", ".join(sorted({f"{drift.table}.{drift.path} ({drift.kind})" for drift in manifest.drift}))
        raise RefusedError(
            f"{name} for client {item.client_id}, {item.window}: the contract is frozen, but {paths} drifted; "
            "nothing was loaded"
        )
    limit = contract.limits.rejects
    if manifest.rejected > max(SHARE_FLOOR, limit * manifest.received):
        raise RefusedError(
            f"{name} for client {item.client_id}, {item.window}: {manifest.rejected} of {manifest.received} records "
            f"break the contract, more than its limit of {limit:.1%}; nothing was loaded. {manifest.folder} lists them"
        )


class _Output:
    """The rows of one table on their way into the lake."""

    def __init__(self, table: TableSpec, folder: str, bucket: Any) -> None:
        self.table = table
        self.reader = RowReader(table)
        self.writer = LineWriter(bucket, f"{folder}/{table.name}")
        self.staged = StagedTable()

    def write(self, line: bytes) -> None:
        self.writer.write(line)
        if self.writer.full:
            self.close()

    def close(self) -> None:
        if part := self.writer.close():
            self.staged.parts = [*self.staged.parts, part]

    def saw_date(self, day: str) -> None:
        staged = self.staged
        staged.first_date = min(staged.first_date or day, day)
        staged.last_date = max(staged.last_date or day, day)


class _Flattening:
    """The state of one folder's flattening."""

    def __init__(self, source: Source, contract: Contract, landing: LandingManifest, folder: str, bucket: Any) -> None:
        self._source = source
        self._contract = contract
        self._landing = landing
        self._folder = folder
        self._created = contract.time.created if contract.time else None
        self._outputs = {table.stream: _Output(table, folder, bucket) for table in contract.tables}
        self._own = self._outputs[contract.stream]
        self._rejects = LineWriter(bucket, f"{folder}/rejects")
        self._reject_parts: list[Any] = []
        self._received = self._rejected = self._keyless = self._further = 0
        self._drift: dict[tuple[str, str, str, str], DriftReport] = {}
        self._at = ("", 0, 0)
        item = landing.item
        self._system = {
            "client_id": item.client_id,
            "_extracted_at": stamp(landing.observed_from),
            "_window_start": None if landing.axis == "whole" else item.window_start,
            "_window_end": stamp(landing.covered_until or item.window.end),
            "_contract_version": contract.version,
        }
        #: Parents of the last page of records, for the nested pages that follow it; None for a rejected one.
        self._parents: dict[str, dict[str, Any] | None] = {}
        #: Ids on that page whose nested lists could not be read whole.
        self._incomplete: set[str] = set()

    def page(self, page: Page, object_name: str, line: int) -> None:
        """Take in one landed page."""
        observed = stamp(page.observed_at)
        body = msgspec.json.decode(page.body)
        records = body[page.items] if page.items else [body]
        self._at = (object_name, line, 0)
        if page.definitions:
            self._own.reader.conversions = self._source.conversions(records)
        elif page.gone:
            for record in records:
                self._write_gone(record["id"], observed)
        elif page.associations and page.child:
            for edges in records:
                self._nested(self._outputs[page.child], str(edges["from"]["id"]), edges["to"])
        elif page.child and page.parent:
            self._nested(self._outputs[page.child], page.parent, records)
        else:
            self._parents = {}
            self._incomplete = set(page.incomplete)
            if page.given:
                records = [{**record, **page.given} for record in records]
            for number, record in enumerate(records, start=1):
                self._at = (object_name, line, number)
                self._record(record, observed)

    def finish(self) -> StagedManifest:
        for output in self._outputs.values():
            output.close()
        if part := self._rejects.close():
            self._reject_parts.append(part)
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
            received=self._received,
            rejected=self._rejected,
            keyless_rejects=self._keyless,
            tables={output.table.name: output.staged for output in self._outputs.values()},
            rejects=self._reject_parts,
            drift=list(self._drift.values()),
        )

    def _compare(self, what: str, found: int, expected: int) -> None:
        """What the walk counted when the API answered, against what is in the landing objects."""
        if found != expected:
            landing = self._landing
            raise RefusedError(
                f"{self._contract.name} for client {landing.item.client_id}, {landing.item.window}: {landing.folder} "
                f"holds {found} {what}, expected {expected}; nothing was loaded. Clear the extract task to read again"
            )

    def _record(self, record: Any, observed: str) -> None:
        """One record of the stream with what is nested in it: all of it is staged, or it is rejected as a whole."""
        if isinstance(record, Mapping) and (stub := self._source.stub_id(record)):
            self._write_gone(stub, observed)
            return
        self._received += 1
        parent: dict[str, Any] = {}
        try:
            if not isinstance(record, Mapping):
                raise RejectError("type", "", "expected object")
            if record.get("id") in self._incomplete:
                raise RejectError("unreadable", "associations")
            merged = merged_into(record, self._contract.merged_ids)
            if merged:
                record = {**record, MERGED: merged}
            row, drift = self._read(self._own, record)
            created = row.get(self._created) if self._created else None
            parent = {
                **row,
                "_record_date": created[:10] if created else _NO_DATE,
                "_observed_at": observed,
                "_deleted_at": self._deleted_at(record),
            }
            children = [
                (output, list(self._children(output, parent, items_at(record, output.table.child.path))))
                for output in self._outputs.values()
                if output.table.child and not output.table.child.associate
            ]
        except RejectError as error:
            self._reject(record, error, observed, parent)
            return
        self._write(self._own, row, drift, parent)
        for output, rows in children:
            for child_row, child_drift in rows:
                self._write(output, child_row, child_drift, parent)
        self._parents[_key(self._contract.key, row)] = parent
        for entry in merged:
            self._write_gone(entry["id"], observed)

    def _nested(self, output: _Output, parent_key: str, items: list[Any]) -> None:
        """Further items of a parent that the last page of records brought."""
        if parent_key not in self._parents:
            raise RefusedError(
                f"{output.table.name}: {self._at[0]} line {self._at[1]} belongs to a record that the page before it "
                "doesn't hold"
            )
        self._further += len(items)
        parent = self._parents[parent_key]
        if parent is None:
            output.staged.rejected += len(items)
            return
        try:
            rows = list(self._children(output, parent, items))
        except RejectError as error:
            # Its parent and first items are staged already: half a record must not be loaded.
            raise RefusedError(
                f"{output.table.name}: an item on {self._at[0]} line {self._at[1]} breaks the contract ({error}); "
                "nothing was loaded. Mend the contract and clear this task"
            ) from None
        for row, drift in rows:
            self._write(output, row, drift, parent)

    def _children(
        self, output: _Output, parent: dict[str, Any], items: list[Any]
    ) -> Iterator[tuple[dict[str, Any], list[Drift]]]:
        child = output.table.child
        assert child is not None
        inherited = {name: parent[column] for name, column in child.inherit.items()}
        for item in items:
            if not isinstance(item, Mapping):
                raise RejectError("type", child.path, "expected object")
            own, drift = self._read(output, item)
            yield inherited | own, drift

    def _read(self, output: _Output, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[Drift]]:
        row, drift = output.reader.read(record)
        if drift and self._contract.mode == Mode.QUARANTINE:
            raise RejectError("drift", drift[0].path, f"{drift[0].kind} {drift[0].found}")
        return row, drift

    def _write(self, output: _Output, row: dict[str, Any], drift: list[Drift], parent: dict[str, Any]) -> None:
        """Stage one row: the hash covers the contract's columns and what drifted, the rest differs from run to run."""
        extra = {found.path: found.value for found in drift} or None
        content = _encoder.encode({**row, "_extra": extra})
        output.write(
            _encoder.encode(
                {
                    **row,
                    "_extra": extra,
                    **self._system,
                    "_record_date": parent["_record_date"],
                    "_observed_at": parent["_observed_at"],
                    "_deleted_at": parent["_deleted_at"],
                    "_row_hash": blake2b(content, digest_size=16).hexdigest(),
                }
            )
        )
        output.staged.rows += 1
        output.saw_date(parent["_record_date"])
        for found in drift:
            self._count_drift(output.table.name, found)

    def _write_gone(self, id_: str, observed: str) -> None:
        """A deletion notice: a row of nothing but the key."""
        self._own.write(
            _encoder.encode(
                {self._contract.key[0]: id_, **self._system, "_observed_at": observed, "_deleted_at": observed}
            )
        )
        self._own.staged.gone += 1

    def _reject(self, record: Any, error: RejectError, observed: str, parent: dict[str, Any]) -> None:
        self._rejected += 1
        key = _rejected_key(self._own, record)
        self._keyless += key is None
        self._parents[key or ""] = None
        own = self._own.staged
        own.rejected += 1
        if isinstance(record, Mapping):
            for output in self._outputs.values():
                if output.table.child and not output.table.child.associate:
                    output.staged.rejected += len(items_at(record, output.table.child.path))
        object_name, line, item = self._at
        self._rejects.write(
            _encoder.encode(
                Reject(
                    client_id=self._landing.item.client_id,
                    source=self._contract.source,
                    stream=self._contract.stream,
                    table_name=self._own.table.name,
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
            )
        )
        if self._rejects.full and (part := self._rejects.close()):
            self._reject_parts.append(part)

    def _count_drift(self, table: str, found: Drift) -> None:
        report = self._drift.get((table, found.kind, found.path, found.found))
        if report is None:
            pointer = "{}#{}:{}".format(*self._at)
            report = DriftReport(
                table=table, kind=found.kind, path=found.path, found=found.found, records=0, pointer=pointer
            )
            self._drift[(table, found.kind, found.path, found.found)] = report
        report.records += 1

    def _deleted_at(self, record: Mapping[str, Any]) -> str | None:
        return self._source.deleted_at(record)


def _key(columns: tuple[str, ...], row: Mapping[str, Any]) -> str:
    return "|".join(str(row[column]) for column in columns)


def _rejected_key(output: _Output, record: Any) -> str | None:
    """The key of a record that could not be read, as far as its parts stand plainly at their paths."""
    if not isinstance(record, Mapping):
        return None
    columns = {column.name: column for column in output.table.columns}
    values = [record.get(columns[name].path[0]) for name in output.table.key]
    return "|".join(map(str, values)) if all(isinstance(value, str | int) for value in values) else None
