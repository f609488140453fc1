"""Stores versions of an object, small enough for millions: as text, and only the difference from another one."""

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
#: Marks a value that is not a value itself, but says what differs from the other one at the same place.
_PATCH = "~"


class Version:
    """An object from `at` (ms) until the next version. When `gone`, `object` is how it looked last.

    `created` (ms) is what the object says of itself, which can precede `at`; `into` is the id of the object that this
    one was merged into. Most of an object is as it is in `base`, its first version or another object of its kind.
    """

    __slots__ = ("_base", "_packed", "at", "created", "gone", "into")

    def __init__(
        self,
        at: int,
        created: int,
        object: JsonObject,
        base: Version | JsonObject | None = None,
        gone: Gone | None = None,
        into: str | None = None,
        stamps: Stamps = (),
    ) -> None:
        self.at = at
        self.created = created
        self.gone = gone
        self.into = into
        self._base = base
        other = base.object if isinstance(base, Version) else base
        packed = _encode(object if other is None else difference(other, object))
        for old, new in stamps:
            packed = packed.replace(old, new)
        self._packed = packed

    @property
    def object(self) -> JsonObject:
        """The whole object. It may share parts with others: not to be changed."""
        found = _decode(self._packed)
        base = self._base
        if base is not None:
            found = patched(base.object if isinstance(base, Version) else base, found)
        whole: JsonObject = found
        return whole


def difference(old: Any, new: Any) -> Any:
    """Return the patch from `old` to `new` for `patched`; equal parts are left out where that saves space."""
    if isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new):
        changed = [key for key, value in new.items() if old[key] != value]
        if 2 * len(changed) <= len(new):
            return {_PATCH: {key: difference(old[key], new[key]) for key in changed}}
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return {_PATCH: {str(index): difference(was, value) for index, (was, value) in pairs if was != value}}
    return new


def patched(old: Any, found: Any) -> Any:
    """The value that `found`, made by `difference`, stands for."""
    if type(found) is not dict or _PATCH not in found:
        return found
    patches = found[_PATCH]
    if type(old) is dict:
        # Most values have changed as a whole: asking here saves a call for each of them.
        deep = {key: patched(old[key], patch) for key, patch in patches.items() if type(patch) is dict}
        return {**old, **patches, **deep}
    return [patched(was, patches[str(index)]) if str(index) in patches else was for index, was in enumerate(old)]
