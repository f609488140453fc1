"""Hashes of personal data: one spelling per value, then HMAC-SHA256, so that equal values still join."""

import hmac
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from tributary.contracts.model import Pii
from tributary.mailboxes import mailbox

_NO_DIGIT = re.compile(r"\D")


def normalise(kind: Pii, text: str) -> str | None:
    """The one spelling of a value; None where it says nothing, so that two of these never join.

    A mailbox as `mailboxes` has it. A phone number as its digits, without leading zeros. Anything else in lower case
    with single spaces.
    """
    if kind == Pii.EMAIL:
        return mailbox(text)
    if kind == Pii.PHONE:
        return _NO_DIGIT.sub("", text).lstrip("0") or None
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()) or None


class Keys(NamedTuple):
    """The key that values are hashed with, and those before it, under which erased people are still recognised."""

    current: bytes
    previous: tuple[bytes, ...] = ()

    def digest(self, kind: Pii, text: str) -> str | None:
        """64 hexadecimal digits; for several addresses `a;b` as many, separated likewise; None for no value."""
        parts = text.split(";") if kind == Pii.EMAIL else [text]
        found = [_digest(self.current, kind, part) for part in parts]
        return ";".join(filter(None, found)) or None

    def mailboxes(self, text: str) -> list[str]:
        """The digests of every address in `a;b`, under each key."""
        found = [_digest(key, Pii.EMAIL, part) for part in text.split(";") for key in (self.current, *self.previous)]
        return [digest for digest in found if digest]


@lru_cache(maxsize=65_536)
def _digest(key: bytes, kind: Pii, text: str) -> str | None:
    value = normalise(kind, text)
    return value and hmac.digest(key, f"{kind}\0{value}".encode(), "sha256").hex()
