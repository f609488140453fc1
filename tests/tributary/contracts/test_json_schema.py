"""The JSON Schema that editors check contracts with: it accepts what the loader accepts, and marks the usual slips."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.conftest import ROOT

CONTRACTS = ROOT / "include" / "contracts"
SCHEMA = Draft202012Validator(json.loads((CONTRACTS / "contract.schema.json").read_text()))


def read(path: Path) -> Any:
    # YAML has dates, JSON has texts.
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*/*.yml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_contract_fulfils_the_schema_and_names_it(path: Path) -> None:
    assert list(SCHEMA.iter_errors(read(path))) == []
    first = path.read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == CONTRACTS / "contract.schema.json"


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("freshness",), "a day"),
        (("daily",), "updated"),
        (("lookback",), 3),
        (("fresness",), "26h"),
        (("columns", 0, "type"), "STRNG"),
        (("columns", 0, "pii"), "mail"),
        (("children", 0, "inherit"), {}),
        (("limits", "rejects"), 2),
    ],
)
def test_a_slip_is_marked(where: tuple[Any, ...], value: Any) -> None:
    contract = read(CONTRACTS / "stripe" / "invoices.yml")
    place = contract
    for part in where[:-1]:
        place = place[part]
    place[where[-1]] = value
    assert list(SCHEMA.iter_errors(contract)) != []
