"""Identifiers and random generators that depend on the seed alone, never on the order of calls."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b
from random import Random

#: Stripe ids by kind: prefix, and number of characters after it.
_STRIPE_FORMS = {
    "customer": ("cus_", 14),
    "product": ("prod_", 14),
    "price": ("price_1", 23),
    "subscription": ("sub_1", 23),
    "subscription_item": ("si_", 14),
    "invoice": ("in_1", 23),
    "line_item": ("il_1", 23),
    "invoiceitem": ("ii_1", 23),
    "discount": ("di_1", 23),
    "tax_rate": ("txr_1", 23),
    "payment_method": ("pm_1", 23),
    "event": ("evt_1", 23),
    "request": ("req_", 14),
}


class Ids:
    """Makes ids out of the seed and a key that names the thing within the world."""

    def __init__(self, seed: int) -> None:
        self._seed = f"{seed}"

    def stripe(self, kind: str, *key: object) -> str:
        """An id of the form Stripe gives to `kind`, e.g. `cus_N3v…`; equal keys give equal ids."""
        prefix, length = _STRIPE_FORMS[kind]
        return prefix + self.token(length, kind, *key)

    def token(self, length: int, *key: object) -> str:
        """`length` (at most 32) letters and digits."""
        text = ":".join((self._seed, *map(str, key)))
        digest = blake2b(text.encode(), digest_size=24).digest()
        return b64encode(digest, b"xK").decode()[:length]

    def random(self, *key: object) -> Random:
        """A random generator of its own for whatever `key` names."""
        return Random(":".join((self._seed, *map(str, key))))
