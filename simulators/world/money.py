"""Currencies and rounding. Amounts are integers in the currency's minor unit, as Stripe counts them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Currency:
    """`step` is the smallest amount that can be charged: Stripe wants the last digit of three-decimal currencies 0."""

    code: str
    per_dollar_cent: Fraction
    step: int
    nice: int
    """List prices are multiples of this."""
    exponent: int = 2
    further: bool = False
    """Only plans are priced in it."""


#: The currency of the account's balance.
SETTLEMENT = "usd"


CURRENCIES = {
    "usd": Currency("usd", Fraction(1), 1, 100),
    "eur": Currency("eur", Fraction(9, 10), 1, 100),
    "gbp": Currency("gbp", Fraction(8, 10), 1, 100),
    "jpy": Currency("jpy", Fraction(3, 2), 1, 100, exponent=0),
    "kwd": Currency("kwd", Fraction(3), 10, 100, exponent=3),
    "chf": Currency("chf", Fraction(9, 10), 1, 100, further=True),
    "cad": Currency("cad", Fraction(7, 5), 1, 100, further=True),
    "aud": Currency("aud", Fraction(3, 2), 1, 100, further=True),
    "sek": Currency("sek", Fraction(10), 1, 100, further=True),
    # Counted in hundredths that are always 00.
    "isk": Currency("isk", Fraction(138), 100, 10_000, further=True),
    "ugx": Currency("ugx", Fraction(3_700), 100, 100_000, further=True),
    "krw": Currency("krw", Fraction(14), 1, 100, exponent=0, further=True),
    "clp": Currency("clp", Fraction(19, 2), 1, 10, exponent=0, further=True),
    "bhd": Currency("bhd", Fraction(19, 5), 10, 100, exponent=3, further=True),
    "tnd": Currency("tnd", Fraction(31), 10, 100, exponent=3, further=True),
}


def charge(currency: str, amount: Fraction | Decimal | int) -> int:
    """Rounds to what can be charged, half away from zero."""
    step = CURRENCIES[currency].step
    exact = Fraction(amount) / step
    sign = -1 if exact < 0 else 1
    return sign * int(abs(exact) + Fraction(1, 2)) * step


def list_price(currency: str, dollar_cents: int) -> int:
    """The list price in `currency` of what costs `dollar_cents` in the United States."""
    money = CURRENCIES[currency]
    exact = dollar_cents * money.per_dollar_cent / money.nice
    return max(1, int(exact + Fraction(1, 2))) * money.nice


def decimal_text(amount: Fraction | Decimal | int) -> str:
    """A decimal string such as `0.25` or `2900`, as in `unit_amount_decimal`."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator) if isinstance(amount, Fraction) else Decimal(amount)
    text = format(exact.quantize(Decimal("1.000000000000"), ROUND_HALF_UP), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def spread(currency: str, amount: int, weights: list[int]) -> list[int]:
    """Splits `amount` in proportion to `weights` (not negative); the parts add up to it exactly."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [charge(currency, Fraction(amount * weight, total)) for weight in weights]
    heaviest = max(range(len(weights)), key=weights.__getitem__)
    parts[heaviest] += amount - sum(parts)
    return parts
