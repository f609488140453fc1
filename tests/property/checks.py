"""What has to hold at every moment, and in the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.property.company import Company, email
from tests.property.runs import Lane


@dataclass
class Held:
    """What raw holds of one record."""

    number: int
    gone: bool
    observed: Any
    #: Child -> version, of those that are not marked as deleted.
    children: dict[str, int | None] = field(default_factory=dict)
    deleted_children: set[str] = field(default_factory=set)


def held(lane: Lane) -> dict[str, Held]:
    """Raw, record by record; each key once."""
    found: dict[str, Held] = {}
    children: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in lane.rows():
        if row["child"] is not None:
            children[row["id"]].append(row)
            continue
        assert row["id"] not in found, f"raw holds {row['id']} twice"
        found[row["id"]] = Held(row["number"], row["gone"], row["_observed_at"])
    for key, rows in children.items():
        assert key in found, f"children of {key} without their parent"
        assert len({row["child"] for row in rows}) == len(rows), f"a child of {key} stands there twice"
        for row in rows:
            if row["gone"]:
                found[key].deleted_children.add(row["child"])
            else:
                found[key].children[row["child"]] = row["number"]
    return found


def check_now(company: Company, lane: Lane, seen: dict[str, int]) -> dict[str, Held]:
    """Whatever has happened: nothing is missing, doubled, half, older than before, or deleted by mistake.

    `seen` holds the latest version that raw ever had of each record, and is brought up to date.
    """
    found = held(lane)
    missing = seen.keys() - found.keys()
    assert not missing, f"raw once held {sorted(missing)}"
    for key, row in found.items():
        record = company.records[key]
        version = record.numbered(row.number)
        assert version and not version.broken, f"raw holds {key} as version {row.number}, which it never was"
        assert row.number >= seen.get(key, 0), f"{key} went from version {seen[key]} back to {row.number}"
        seen[key] = row.number
        if row.gone:
            assert any(v.gone for v in record.versions), f"{key} is marked as deleted and never was"
            assert not row.children, f"{key} is deleted and its children {sorted(row.children)} are not"
        else:
            assert set(row.children) == set(version.children), f"{key} version {row.number} with other children"
            numbers = {number for number in row.children.values() if number is not None}
            assert numbers <= {row.number}, f"{key} version {row.number} has children of {numbers}"
    return found


def check_end(company: Company, lane: Lane) -> None:
    """Raw and the open rejects are the source: nothing missing, nothing too much."""
    found, rejects = held(lane), lane.rejects()
    for key, record in company.records.items():
        row, now = found.get(key), record.now
        if now.gone:
            assert row is None or row.gone, f"{key} was {now.gone} and is alive in raw"
            assert key not in rejects, f"{key} was {now.gone} and its reject is open"
        elif now.broken:
            assert key in rejects, f"{key} breaks its contract and is not in ops.open_rejects"
            assert row is None or rejects[key] > row.observed, f"the reject of {key} is older than its row"
            was_gone = any(version.gone for version in record.versions)
            assert row is None or was_gone or not row.gone, f"{key} breaks its contract and was taken for deleted"
        else:
            assert row and not row.gone, f"{key} version {now.number} is missing, raw has {row}"
            assert row.number == now.number, f"{key} is version {now.number} and {row.number} in raw"
            assert key not in rejects, f"{key} is in raw and its reject is open"
    _check_history(lane)


def check_erased(lane: Lane, erased: set[str]) -> None:
    """Whoever was erased is in no row, of now or before; everybody else is."""
    if lane.stream == "invoices":
        for key, held in lane.addresses().items():
            wanted = {None if key in erased else email(key)}
            assert held == wanted, (
                f"{key} was {'' if key in erased else 'not '}erased, and raw or its history has {held}"
            )


def _check_history(lane: Lane) -> None:
    """The versions of a record follow each other: one ends where the next begins, or before."""
    until: dict[str, Any] = {}
    for row in lane.history():
        before = until.get(row["id"])
        assert before is None or before <= row["_valid_from"], f"two versions of {row['id']} were valid at once: {row}"
        if row["_valid_to"] is not None:
            assert row["_valid_from"] < row["_valid_to"], f"a version of {row['id']} that never was: {row}"
            until[row["id"]] = row["_valid_to"]
