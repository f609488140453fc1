"""The tour shows the code as it is."""

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tour.md").read_text()
EXCERPTS = re.findall(r"^\[([^\]]+)\]\(\.\./([^)]+)\)\n\n```\w+\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_excerpt_has_a_file_and_is_short() -> None:
    assert len(EXCERPTS) == PAGE.count("```") // 2 > 8
    for shown, linked, text in EXCERPTS:
        assert shown == linked
        assert text.count("\n") <= 10, shown


@pytest.mark.parametrize(("file", "text"), [(file, text) for file, _, text in EXCERPTS])
def test_an_excerpt_is_verbatim(file: str, text: str) -> None:
    assert text in (ROOT / file).read_text(), f"docs/tour.md quotes {file} otherwise than it is"
