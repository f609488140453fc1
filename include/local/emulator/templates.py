"""Tells apart what is the same in two statements and what differs: ids and moments.

The load script of a stream is the same every day but for the names of its stage tables, the id of the load and the
times in it: it is translated and judged once.
"""

from __future__ import annotations

import re

_VOLATILE = re.compile(r"(?P<id>[0-9a-f]{16})|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


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
