"""The log of public reports: every row is whole, and the test that it names exists.

A row of `<area>.yml` has
- `tool`: whose users reported it;
- `report`: the number, as `owner/repository#number` (a discussion or a document: its address);
- `kind`: the situation in a sentence, in our words;
- `outcome`: `held` (was right already), `fixed` (was a fault and is none any more) or `declined` (is not supported);
- `test`: `path::function` of the test that fails if it comes back; `declined` has a `reason` instead.
"""

import ast
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FILES = sorted(Path(__file__).parent.glob("*.yml"))
ROWS = [(file.stem, row) for file in FILES for row in yaml.safe_load(file.read_text(encoding="utf-8"))]
PROVEN = {"tool", "report", "kind", "outcome", "test"}
DECLINED = {"tool", "report", "kind", "outcome", "reason"}
_REPORT = re.compile(r"[\w.-]+/[\w.-]+#\d+|https://\S+")


def _name(value: Any) -> str:
    return str(value.get("report", "no report")) if isinstance(value, dict) else str(value)


@lru_cache
def functions(path: Path) -> frozenset[str]:
    """The functions of a test file, also those of its classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("area", "row"), ROWS, ids=_name)
def test_a_row_is_whole_and_its_test_exists(area: str, row: dict[str, str]) -> None:
    assert row["outcome"] in ("held", "fixed", "declined")
    assert set(row) == (DECLINED if row["outcome"] == "declined" else PROVEN)
    assert all(isinstance(value, str) and value for value in row.values())
    assert _REPORT.fullmatch(row["report"]), "owner/repository#number, or an address"
    if "test" in row:
        path, _, function = row["test"].partition("::")
        assert (ROOT / path).is_file(), path
        assert function in functions(ROOT / path), function


def test_no_report_stands_twice_with_the_same_kind() -> None:
    twice = [key for key, count in Counter((row["report"], row["kind"]) for _, row in ROWS).items() if count > 1]
    assert not twice
