"""Tells apart what is the same in two statements and what differs: ids and moments.

The load script of a stream is the same every day but for the names of its stage tables, the id of the load and the
times in it: it is translated and judged once.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|`[^`]*`|[A-Za-z_]\w*|(?P<number>\d+(?:\.\d+)?)""",
    re.DOTALL,
)
_NUMBERS_MATTER = re.compile(r"\b(?:group|order)\s+by\s+\d|\b(?:big)?numeric\s*\(", re.IGNORECASE)
"""Ordinals and the precision of types: with another number it is another statement."""

# An id has a letter: sixteen digits alone can be a number.
_VOLATILE = re.compile(r"(?P<id>(?=\d*[a-f])[0-9a-f]{16})|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


def lifted(sql: str) -> tuple[str, dict[str, str]]:
    """Return the statement with placeholders of the same form, and what each stands for."""
    values: dict[str, str] = {}
    placeholders: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        text = match.group()
        if text not in placeholders:
            number = len(placeholders)
            moment = f"1901-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000001Z"
            placeholders[text] = moment if match["moment"] else f"0123456789ab{number:04x}"
            values[placeholders[text]] = text
        return placeholders[text]

    return _VOLATILE.sub(replaced, sql), values


def filled(sql: str, values: dict[str, str]) -> str:
    """Return a text with the values in place of their placeholders."""
    return _VOLATILE.sub(lambda match: values.get(match.group(), match.group()), sql) if values else sql


@lru_cache(maxsize=256)
def shape(sql: str) -> str:
    """Return what stands for all statements that differ in literals of the same kind only.

    Texts without a digit are kept: names of formats and time zones, JSON paths of names; so are ordinals and types.
    """
    numbers_matter = _NUMBERS_MATTER.search(sql) is not None

    def of_its_kind(match: re.Match[str]) -> str:
        found = match.group()
        if match["number"]:
            return found if numbers_matter else "0.0" if "." in found else "0"
        if match["text"] and "$" not in found and any(character.isdigit() for character in found):
            return "'0'"
        return found

    return _TOKEN.sub(of_its_kind, sql)
