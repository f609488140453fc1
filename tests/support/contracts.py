"""Contracts of this repository with something changed, read from a file as every contract is."""

from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tributary.contracts.loader import load_contract
from tributary.contracts.model import Contract


def changed(folder: Path, *columns: dict[str, Any], name: str = "stripe/invoices", **fields: Any) -> Contract:
    """A contract with other fields, with more columns, or with others in place of those of that name."""
    contract = yaml.safe_load((ROOT / "include" / "contracts" / f"{name}.yml").read_text())
    new = {column["name"]: {"description": "Declared by a test.", **column} for column in columns}
    kept = [new.pop(column["name"], column) for column in contract["columns"]]
    path = folder / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    version = contract["version"] + 1
    path.write_text(yaml.safe_dump({**contract, "version": version, "columns": [*kept, *new.values()], **fields}))
    return load_contract(path)
