"""How an object looked over time, small enough to keep millions of: JSON text, and differences to the first version."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

JsonObject = dict[str, Any]

#: How an object left: deleted (Stripe), archived (HubSpot's recycle bin), purged (HubSpot, for good), or merged away.
Gone = Literal["deleted", "archived", "purged", "merged"]
#: Texts that are replaced in everything that is kept, e.g. what stands for the account.
Stamps = tuple[tuple[bytes, bytes], ...]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Version:
    """An object from `at` (ms) until the next version. When `gone`, `object` is how it looked last.

    `created` (ms) is what the object says of itself, which can precede `at`; `into` is the id of the object that this
    one was merged into.
    """

    __slots__ = ("_first", "_packed", "at", "created", "gone", "into")

    def __init__(
        self,
        at: int,
        created: int,
        object: JsonObject,
        first: Version | None = None,
        gone: Gone | None = None,
        into: str | None = None,
        stamps: Stamps = (),
    ) -> None:
        self.at = at
        self.created = created
        self.gone = gone
        self.into = into
        self._first = None
        if first is not None:
            base = first.object
            if list(base) == list(object):
                # Most of an object stays what it was: of a later version only the keys that differ are kept.
                object = {key: value for key, value in object.items() if base[key] != value}
                self._first = first
        packed = _encode(object)
        for old, new in stamps:
            packed = packed.replace(old, new)
        self._packed = packed

    @property
    def object(self) -> JsonObject:
        """The whole object, made anew each time."""
        found: JsonObject = _decode(self._packed)
        return found if self._first is None else {**self._first.object, **found}
