"""Reads a runbook: its sections, and the blocks that can be run."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "runbooks"
FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS = ("Symptom", "Practise", "Confirm", "Do", "Fixed when")
_FENCE = re.compile(r"^```(\w*) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block; `promise` is the text before it, which may say what comes of it."""

    language: str
    place: str
    text: str
    promise: str

    @property
    def rows(self) -> bool | None:
        """Whether a query promises rows (True), none (False), or nothing (None)."""
        if self.promise.endswith("No rows:"):
            return False
        return True if self.promise.endswith("At least one row:") else None

    @property
    def fails(self) -> bool:
        return self.promise.endswith("fails:")


def sections(path: Path) -> dict[str, str]:
    """The text of each `##` section by its title."""
    parts = re.split(r"^## (.+)$", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(section: str) -> list[Block]:
    found, end = [], 0
    for match in _FENCE.finditer(section):
        promise = section[end : match.start()].strip()
        found.append(Block(match[1], match[2], match[3], promise))
        end = match.end()
    return found
