"""Answers that hold something that no JSON decoder takes: half of a surrogate pair, bytes that are no text, nesting
without end. JSON's grammar allows some of it, and one record with it must not keep out a whole page."""

import re

import msgspec

#: Far below what decoders bear, and beyond what BigQuery's JSON does.
DEEPEST = 400
#: Stands where something was. Only in answers that were mended: there, a record with it is set aside.
MARK = b'"\\u0000unreadable"'

UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_DOUBTFUL = re.compile(rb"\\u[dD][89a-fA-F]|[\x80-\xff]")


def mended(body: bytes) -> bytes | None:
    """The answer with `MARK` in place of every such text, and of what is nested too deep; None where there is none."""
    parts: list[bytes] = []
    done = depth = 0
    for token in _TOKEN.finditer(body):
        first, start, end = body[token.start()], token.start(), token.end()
        if first in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                parts.append(body[done:start])
                done = start
        elif first in b"]}":
            depth -= 1
            if depth == DEEPEST:
                parts.append(MARK)
                done = end
        elif depth <= DEEPEST and _DOUBTFUL.search(body, start, end) and not _is_text(body[start:end]):
            parts += (body[done:start], MARK)
            done = end
    return b"".join((*parts, body[done:])) if parts else None


def _is_text(token: bytes) -> bool:
    try:
        msgspec.json.decode(token)
    except UNREADABLE:
        return False
    return True
