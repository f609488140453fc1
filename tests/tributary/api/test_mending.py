"""Answers that no decoder takes."""

import msgspec
import pytest

from tributary.api.mending import MARK, mended

DEEP = b"[" * 2000 + b"]" * 2000


@pytest.mark.parametrize(
    "odd", [b'"\\ud800"', b'"a\\\\\\udfff"', b'"\xe4"', b'{"a": ' + DEEP + b"}"], ids=["1", "2", "3", "4"]
)
def test_what_is_odd_is_marked_and_the_rest_is_as_it_was(odd: bytes):
    page = b'{"data": [{"id": "a\\"[", "b": %b}, {"id": "\\ud83d\\ude00 \xc3\xa4"}], "n": 1.50}'
    found = mended(page % odd)
    assert found
    assert msgspec.json.decode(found)["data"][1] == {"id": "😀 ä"}
    left, right = page.split(b"%b")
    assert found.startswith(left)
    assert found.endswith(right)
    assert found.count(MARK) == 1


@pytest.mark.parametrize("body", [b'{"a": "b', b"<html>", b"{}", b'{"a": "\\ud83d\\ude00"}'])
def test_anything_else_is_not_mended(body: bytes):
    assert mended(body) is None
