"""Values in every dialect that people, imports and integrations leave behind in a CRM.

They depend on the seed and the record's id alone, so that they disturb no other part of the world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

from simulators.world.crm_properties import INTERESTS, PRODUCTS
from simulators.world.moments import DAY, END, START, date_of, iso

#: Typed by hand, exported from a sheet, or computed.
NUMBERS = ("1,234.50", "12000", "0", "-15.5", "0.1", "1e3", "99999999999999999", "3.0", "1,000,000", "")
NOTES = (
    'said "call back", then hung up',
    "line one\nline two\r\n\ttabbed",
    "=SUM(A1:A9)",
    "NULL",
    "null; none; n/a",
    "",
    " padded ",
    "日本語のメモ 🎉",
    "\\N \\u0000 {'a': 1}",
    "x" * 1_200,
)
BOOLS = ("true", "false", "")


class Traits:
    """Draws the additional properties of records."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()

    def of(self, kind: str, id: str) -> dict[str, str]:
        draw = _Draw(crc32(f"{kind}:{id}".encode(), crc32(self._seed)))
        return _TRAITS[kind](draw, id) if kind in _TRAITS else {}


class _Draw:
    """A few independent choices out of one 32-bit number."""

    def __init__(self, number: int) -> None:
        self._state = number

    def below(self, most: int) -> int:
        # A linear congruential step; the high bits are the good ones.
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self._state >> 33) % most

    def one(self, choices: Sequence[str]) -> str:
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def some(self, choices: Sequence[str]) -> str:
        """A multi-select value: the chosen options in no particular order."""
        first = self.below(len(choices))
        return ";".join(choices[(first + step) % len(choices)] for step in range(1 + self.below(len(choices))))

    def day(self) -> int:
        return START + self.below((END - START) // DAY) * DAY


def _contact(draw: _Draw, id: str) -> dict[str, str]:
    found = {"billing_key": f"bk-{id}", "days_since_lead": str(draw.below(900))}
    if draw.chance(40):
        found["annual_budget"] = draw.one(NUMBERS)
    if draw.chance(30):
        found["birthday"] = date_of(draw.day() - 30 * 365 * DAY)
    if draw.chance(40):
        # As a date, or as its midnight in milliseconds.
        day = draw.day()
        found["contract_start"] = date_of(day) if draw.chance(50) else str(day)
    if draw.chance(50):
        at = draw.day() + draw.below(DAY)
        forms = (iso(at), str(at), f"{iso(at)[:19]}Z", iso(at - at % DAY))
        found["last_seen_at"] = draw.one(forms)
    if draw.chance(60):
        found["newsletter_optout"] = draw.one(BOOLS)
    if draw.chance(35):
        found["interests"] = draw.some(INTERESTS)
    if draw.chance(20):
        found["direct_line"] = draw.one(("+1 (303) 555-0142", "0049 221 5550", "+81665550100", "ext. 12"))
    if draw.chance(50):
        found["internal_note"] = draw.one(NOTES)
    if draw.chance(5):
        found["constructor"] = "prototype"
    return found


def _company(draw: _Draw, id: str) -> dict[str, str]:
    found = {}
    if draw.chance(50):
        found["turnover_estimate"] = draw.one(NUMBERS)
    if draw.chance(50):
        found["is_listed"] = draw.one(BOOLS)
    if draw.chance(50):
        found["products_used"] = draw.some(PRODUCTS)
    if draw.chance(50):
        found["renewal_date"] = date_of(draw.day())
    if draw.chance(10):
        found["select"] = "from"
    return found


def _deal(draw: _Draw, id: str) -> dict[str, str]:
    found = {}
    if draw.chance(30):
        found["discount_rate"] = draw.one(("0.1", "0.15", "12.5", "0", ""))
    if draw.chance(30):
        found["next_step_note"] = draw.one(NOTES)
    return found


_TRAITS: dict[str, Callable[[_Draw, str], dict[str, str]]] = {
    "contacts": _contact,
    "companies": _company,
    "deals": _deal,
}
