"""Every cell of the matrix of documents is an example, and every example of money is a cell."""

import re
from pathlib import Path

import yaml

from local.settings import ROOT

PAGE = ROOT / "docs" / "money.md"
DOCUMENTS = ("invoice", "line", "credit note", "refund", "dispute", "void", "payout", "credit grant")


def test_the_cells_are_the_examples() -> None:
    rows = [line.split("|")[1:4] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.count("|") == 4]
    cells = {name for _, _, examples in rows for name in re.findall(r"`(\w+)`", examples)}
    money = yaml.safe_load((Path(__file__).parent / "money.yml").read_text(encoding="utf-8"))
    assert cells == {entry["example"] for entry in money}


def test_every_pair_of_documents_has_a_cell() -> None:
    pairs = {
        tuple(line.split("|")[1].strip().split(", "))
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.count("|") == 4
    }
    wanted = {(a, b) for number, a in enumerate(DOCUMENTS) for b in DOCUMENTS[number + 1 :]}
    missing = {pair for pair in wanted if not any(_is(pair, found) for found in pairs)}
    assert not missing


def _is(pair: tuple[str, str], found: tuple[str, ...]) -> bool:
    """Whether a row is about the pair, in either order; it can say more, as `void of the note`."""
    return len(found) == 2 and any(
        left.startswith(pair[0]) and right.startswith(pair[1]) for left, right in (found, found[::-1])
    )
