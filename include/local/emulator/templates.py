"""Speed: a statement that differs from an earlier one only in ids and moments is not translated again.

The load script of a stream is the same every day but for the names of its stage tables, the id of the load and the
times in it. Its translation, twenty-odd statements, takes longer than running it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

REMEMBERED = 2048
_VOLATILE = re.compile(r"(?P<id>[0-9a-f]{16})|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


def apply() -> None:
    """To be called after all other modules have wrapped the translation."""
    from bqemulator.domain.result import Ok
    from bqemulator.sql import translator

    translate = translator.SQLTranslator.translate
    known: OrderedDict[tuple[str, str], str] = OrderedDict()

    def translate_once(self: Any, sql: str, **options: Any) -> Any:
        template, values = lifted(sql)
        key = (template, repr(sorted(options.items(), key=lambda item: item[0])))
        found = known.get(key)
        if found is not None:
            known.move_to_end(key)
            return Ok(filled(found, values))
        result = translate(self, template if values else sql, **options)
        if not isinstance(result, Ok) or not all(placeholder in result.value for placeholder in values):
            return translate(self, sql, **options)
        known[key] = result.value
        if len(known) > REMEMBERED:
            known.popitem(last=False)
        return Ok(filled(result.value, values))

    translator.SQLTranslator.translate = translate_once


def lifted(sql: str) -> tuple[str, dict[str, str]]:
    """The statement with placeholders of the same form, and what they stand for."""
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
    return _VOLATILE.sub(lambda match: values.get(match.group(), match.group()), sql)
