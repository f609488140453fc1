"""Sends ids in paths and keys in headers exactly as they are, escaped where HTTP requires it."""

import re
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from requests import PreparedRequest, Request, Session

#: Blanks of every kind, and characters without a width, as they come along when a key is copied.
_AROUND = re.compile(r"^[\s\x00\u200b-\u200f\u2060\ufeff]+|[\s\x00\u200b-\u200f\u2060\ufeff]+$")
_IN_A_HEADER = re.compile(r"[\x21-\x7e]+")


class ExactSession(Session):
    """A session that leaves the path alone. Others unquote `%2E%2E`, and send the request to the folder above."""

    def prepare_request(self, request: Request) -> PreparedRequest:
        prepared = super().prepare_request(request)
        written = urlsplit(str(request.url)).path
        if "%2e" in written.lower():
            prepared.url = urlunsplit(urlsplit(str(prepared.url))._replace(path=written))
        return prepared


def below(path: str, id_: str) -> str:
    """The path of one object. Some ids are chosen by people, so any character may be in them."""
    quoted = quote(id_, safe="")
    return f"{path}/{quoted.replace('.', '%2E') if quoted in ('.', '..') else quoted}"


def trimmed(secret: Any) -> str:
    """A key without the line break or blank that storing or copying has put around it."""
    return _AROUND.sub("", str(secret or ""))


def is_sendable(secret: str) -> bool:
    """Return True if a header can carry the key."""
    return _IN_A_HEADER.fullmatch(secret) is not None
