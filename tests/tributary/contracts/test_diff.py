"""Which changes of a contract break its readers."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tributary.contracts.diff import differences, unannounced
from tributary.contracts.loader import load_all

CONTRACTS = ROOT / "include" / "contracts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CONTRACTS, tmp_path / "contracts")
    return tmp_path / "contracts"


def edited(folder: Path, change, path: str = "stripe/invoices.yml"):
    file = folder / path
    contract = yaml.safe_load(file.read_text())
    change(contract)
    file.write_text(yaml.safe_dump(contract, sort_keys=False))
    load_all.__globals__["load_contracts"].cache_clear()
    return load_all(folder)


def column(contract, name):
    return next(column for column in contract["columns"] if column["name"] == name)


def drop_column(contract):
    contract["columns"].remove(column(contract, "receipt_number"))


def drop_child(contract):
    contract["children"].pop()


BREAKING = {
    "column stripe_invoices.receipt_number is gone": drop_column,
    "is gone": drop_child,
    "type STRING is now INT64": lambda c: column(c, "number").update(type="INT64"),
    "type INT64 is now STRING": lambda c: column(c, "total").update(type="STRING"),
    "unit minor is now major": lambda c: column(c, "total").update(unit="major"),
    "is required now": lambda c: column(c, "number").update(required=True),
    "is narrower than it was": lambda c: column(c, "amount_paid").update(max=10),
    "range [2020-01-01, 2099-12-31] is narrower": lambda c: column(c, "created").update(min=date(2020, 1, 1)),
    "path somewhere": lambda c: column(c, "number").update(path="somewhere.else"),
    "is new and required": lambda c: c["columns"].append(
        {"name": "novel", "type": "STRING", "required": True, "description": "A column that nobody knew before."}
    ),
}
HARMLESS = {
    "column stripe_invoices.novel is new": lambda c: c["columns"].append(
        {"name": "novel", "type": "STRING", "description": "A column that nobody knew before."}
    ),
    "type INT64 is now NUMERIC": lambda c: column(c, "total").update(type="NUMERIC"),
    "type INT64 is now BIGNUMERIC": lambda c: column(c, "total").update(type="BIGNUMERIC"),
    "type INT64 is now FLOAT64": lambda c: column(c, "total").update(type="FLOAT64"),
    "path number, invoice_number": lambda c: column(c, "number").update(path=["number", "invoice_number"]),
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_breaking_change_needs_a_higher_version(folder: Path, what: str) -> None:
    old, new = load_all(CONTRACTS), edited(folder, BREAKING[what])
    [*problems] = unannounced(old, new)
    version = old["stripe"]["invoices"].version
    assert len(problems) >= 1
    assert any(what in problem and problem.startswith("stripe.invoices: ") for problem in problems)
    assert problems[0].endswith(f"raise its version to {version + 1}")
    raised = edited(folder, lambda c: c.update(version=version + 1))
    assert unannounced(old, raised) == []
    assert any(what in str(difference) and difference.breaking for difference in differences(old, raised))


@pytest.mark.parametrize("what", HARMLESS)
def test_a_harmless_change_does_not(folder: Path, what: str) -> None:
    old, new = load_all(CONTRACTS), edited(folder, HARMLESS[what])
    assert unannounced(old, new) == []
    found = [str(difference) for difference in differences(old, new)]
    # Children that inherit the column say the same of theirs.
    assert found
    assert all(what in text for text in found)


def test_nothing_changed(folder: Path) -> None:
    assert differences(load_all(CONTRACTS), load_all(folder)) == []


def test_a_version_never_goes_back(folder: Path) -> None:
    old = edited(folder, lambda c: c.update(version=c["version"] + 3))
    assert "back to" in unannounced(old, load_all(CONTRACTS))[0]


def test_the_command_compares_with_a_folder(folder: Path) -> None:
    def compare(against: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "tributary.contracts.diff", against]
        return subprocess.run(command, cwd=ROOT / "plugins", capture_output=True, text=True, timeout=60, check=False)

    assert compare(str(folder)).returncode == 0
    edited(folder, lambda c: column(c, "total").update(type="STRING"))
    failed = compare(str(folder))
    assert failed.returncode == 1
    assert "breaking  stripe.invoices: column stripe_invoices.total: type STRING is now INT64" in failed.stdout
    assert "raise its version" in failed.stderr
