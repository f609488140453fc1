"""Compares two states of the contracts and tells breaking changes from others.

`python -m tributary.contracts.diff main` (with `plugins` on the path) compares with a revision of this repository, or
with a folder of contracts that was published. It fails when a contract breaks its readers under the same version.
"""

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from tributary.contracts.loader import load_all
from tributary.contracts.model import WIDENINGS, Column, Contract, Rule, TableSpec
from tributary.settings import REPOSITORY, settings

Contracts = Mapping[str, Mapping[str, Contract]]


@dataclass(frozen=True)
class Difference:
    """One change of a contract."""

    contract: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.contract}: {self.what}"


def differences(old: Contracts, new: Contracts) -> list[Difference]:
    """Everything that changed, stream by stream."""
    found: list[Difference] = []
    for source, streams in old.items():
        for stream, before in streams.items():
            after = new.get(source, {}).get(stream)
            if after is None:
                found.append(Difference(before.name, "the stream is gone", True))
            else:
                found += [Difference(before.name, what, breaks) for what, breaks in _contract(before, after)]
    for source, streams in new.items():
        known = old.get(source, {})
        found += [Difference(contract.name, "new", False) for name, contract in streams.items() if name not in known]
    return found


def unannounced(old: Contracts, new: Contracts) -> list[str]:
    """Breaking changes whose contract has no higher version than before; each says what to do."""
    problems = []
    for difference in differences(old, new):
        source, _, stream = difference.contract.partition(".")
        before, after = old.get(source, {}).get(stream), new.get(source, {}).get(stream)
        if before and after and after.version < before.version:
            problems.append(f"{difference.contract}: version went from {before.version} back to {after.version}")
        elif difference.breaking and before and after and after.version == before.version:
            problems.append(f"{difference}; raise its version to {before.version + 1}")
    return list(dict.fromkeys(problems))


def _contract(before: Contract, after: Contract) -> Iterator[tuple[str, bool]]:
    if before.version != after.version:
        yield f"version {before.version} is now {after.version}", False
    for name, was, now in (
        ("partition", before.partition, after.partition),
        ("creation time", before.time and before.time.created, after.time and after.time.created),
    ):
        if was != now:
            yield f"{name} {was} is now {now}", True
    tables = {table.name: table for table in after.tables}
    for table in before.tables:
        if table.name not in tables:
            yield f"table {table.name} is gone", True
        else:
            yield from _table(table, tables[table.name])
    known = {table.name for table in before.tables}
    yield from ((f"table {name} is new", False) for name in tables if name not in known)


def _table(before: TableSpec, after: TableSpec) -> Iterator[tuple[str, bool]]:
    if before.key != after.key:
        yield f"key of {after.name} was {', '.join(before.key)} and is {', '.join(after.key)}", True
    now = {column.name: column for column in after.columns}
    for column in before.columns:
        if column.name not in now:
            yield f"column {after.name}.{column.name} is gone", True
        else:
            for what, breaks in _column(column, now[column.name]):
                yield f"column {after.name}.{column.name}: {what}", breaks
    known = {column.name for column in before.columns}
    for name, column in now.items():
        if name not in known:
            yield f"column {after.name}.{name} is new{' and required' if column.required else ''}", column.required


def _column(before: Column, after: Column) -> Iterator[tuple[str, bool]]:
    if before.type != after.type:
        yield f"type {before.type} is now {after.type}", (before.type, after.type) not in WIDENINGS
    if before.unit != after.unit:
        yield f"unit {before.unit} is now {after.unit}", True
    if before.path != after.path:
        # Another place to look at behind the former ones changes no value that was found.
        yield f"path {', '.join(after.path)}", after.path[: len(before.path)] != before.path
    if before.as_ != after.as_:
        yield f"as {before.as_} is now {after.as_}", True
    if after.required and not before.required:
        yield "is required now: records without it become rejects", True
    if _narrower(before, after):
        yield f"range [{after.min}, {after.max}] is narrower than it was: values outside become rejects", True
    if before.pii != after.pii:
        yield f"pii {before.pii} is now {after.pii}", False
    if (before.rule or Rule.CLEAR) != (after.rule or Rule.CLEAR):
        yield f"rule {before.rule or Rule.CLEAR} is now {after.rule or Rule.CLEAR}: other values stand there", True


def _narrower(before: Column, after: Column) -> bool:
    low, high = float("-inf"), float("inf")
    return _number(after.min, low) > _number(before.min, low) or _number(after.max, high) < _number(before.max, high)


def _number(bound: float | date | None, unbounded: float) -> float:
    if bound is None:
        return unbounded
    return bound.toordinal() if isinstance(bound, date) else bound


def contracts_at(revision: str, folder: Path) -> Contracts:
    """The contracts of a revision of this repository, unpacked into a folder.

    Raises:
        subprocess.CalledProcessError: there is no such revision, or it has no contracts.
    """
    where = settings().contracts_dir.relative_to(REPOSITORY).as_posix()
    command = ["git", "-C", str(REPOSITORY), "archive", "--format=tar", revision, where]
    archive = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return load_all(folder / where)


def main(against: str) -> int:
    """Print every difference; 1 if one of them should have raised a version."""
    new = load_all()
    with tempfile.TemporaryDirectory() as folder:
        old = load_all(Path(against)) if Path(against).is_dir() else contracts_at(against, Path(folder))
    for difference in differences(old, new):
        sys.stdout.write(f"{'breaking  ' if difference.breaking else '          '}{difference}\n")
    problems = unannounced(old, new)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "HEAD"))
