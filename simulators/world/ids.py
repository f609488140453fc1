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
    "charge": ("ch_3", 23),
    "payment_intent": ("pi_3", 23),
    "payment_record": ("pr_1", 23),
    "invoice_payment": ("inpay_1", 23),
    "refund": ("re_3", 23),
    "dispute": ("du_1", 23),
    "payout": ("po_1", 23),
    "bank_account": ("ba_1", 23),
    "credit_note": ("cn_1", 23),
    "credit_note_line": ("cnli_1", 23),
    "balance_transaction": ("txn_3", 23),
    "test_clock": ("clock_1", 23),
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

    def share(self, *key: object) -> float:
        """A number in [0, 1) of its own for whatever `key` names: cheaper than a generator for a single draw."""
        text = ":".join((self._seed, *map(str, key)))
        return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / (1 << 48)

    def random(self, *key: object) -> Random:
        """A random generator of its own for whatever `key` names."""
        return Random(":".join((self._seed, *map(str, key))))
