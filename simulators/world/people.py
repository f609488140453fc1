"""Invented people and companies. Every domain ends in `.example`, which nobody can own."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random


def words(text: str) -> tuple[str, ...]:
    """The words of a text, for lists that would fill a page if written one word a line."""
    return tuple(text.split())


FIRST = words(
    """
    Anna Ben Chloé Daniel Elif Farah Goran Hanna Ivan Jürgen Kenji Leila Mateo Nadia Oscar Petra Quentin Rosa Samir
    Tomasz Ulla Víctor Wei Ximena Yusuf Zoë Aisha Bruno Carmen Dmitri Esther Felix Grace Hugo Ines Jonas Karin Liam
    Maya Noor Olga Pablo Rania Stefan Thandi Uma Vera Willem Yara Zainab
    """
)
LAST = words(
    """
    Ahmed Bauer Costa Dubois Eriksen Fernández Grant Hansen Ito Jovanović Kovács Larsen Müller Nakamura Okafor Petrov
    Quinn Rossi Sato Tanaka Ueda Varga Weber Xu Yılmaz Zhang Al-Sabah Brandt Chen Diallo Evans Fischer García Haddad
    Ivanova Jensen Khan Lindqvist Moreau Novak O'Brien Pereira Ricci Silva Turner Vogel Walsh Young Zimmermann
    """  # noqa: RUF001  (names are spelt as their bearers spell them)
)
_HEADS = words(
    """
    Amber Birch Cedar Delta Ember Fjord Granite Harbor Indigo Juniper Kestrel Lumen Maple Nimbus Orchid Pioneer Quartz
    Ridge Summit Tidal Umber Vertex Willow Xenon Yarrow Zephyr
    """
)
_TAILS = words(
    "Analytics Works Labs Foods Logistics Studio Health Systems Partners Media Robotics Finance Travel Energy"
)
INDUSTRIES = words(
    """
    COMPUTER_SOFTWARE HOSPITAL_HEALTH_CARE FINANCIAL_SERVICES RETAIL LOGISTICS_AND_SUPPLY_CHAIN MEDIA_PRODUCTION
    RENEWABLES_ENVIRONMENT FOOD_BEVERAGES LEISURE_TRAVEL_TOURISM
    """
)
#: Country, city, postal code, state and calling code by currency.
_PLACES = {
    "usd": (
        ("US", "Denver", "80202", "CO", "+1303"),
        ("US", "Boston", "02108", "MA", "+1617"),
        ("US", "Portland", "97204", "OR", "+1503"),
        ("CA", "Toronto", "M5H 2N2", "ON", "+1416"),
        ("AE", "Dubai", None, None, "+9714"),
    ),
    "eur": (
        ("DE", "Köln", "50667", None, "+49221"),
        ("FR", "Lyon", "69001", None, "+334"),
        ("NL", "Utrecht", "3511", None, "+3130"),
        ("ES", "Málaga", "29001", None, "+34952"),
    ),
    "gbp": (("GB", "Leeds", "LS1 1UR", None, "+44113"), ("GB", "Bristol", "BS1 4ST", None, "+44117")),
    "jpy": (("JP", "大阪市", "530-0001", "大阪府", "+816"), ("JP", "Sapporo", "060-0001", "Hokkaidō", "+8111")),
    "kwd": (("KW", "Kuwait City", "13001", None, "+9652"),),
    "chf": (("CH", "Zürich", "8001", "ZH", "+4144"),),
    "cad": (("CA", "Montréal", "H2Y 1C6", "QC", "+1514"),),
    "aud": (("AU", "Hobart", "7000", "TAS", "+613"),),
    "sek": (("SE", "Malmö", "211 18", None, "+4640"),),
    "isk": (("IS", "Reykjavík", "101", None, "+354"),),
    "ugx": (("UG", "Kampala", None, None, "+256"),),
    "krw": (("KR", "서울", "04524", None, "+822"),),
    "clp": (("CL", "Valparaíso", "2340000", None, "+5632"),),
    "bhd": (("BH", "Manama", None, None, "+973"),),
    "tnd": (("TN", "Sousse", "4000", None, "+216"),),
}


@dataclass(frozen=True, slots=True)
class Place:
    country: str
    city: str
    postal_code: str | None
    state: str | None
    line1: str
    calling: str


@dataclass(frozen=True, slots=True)
class Person:
    first: str
    last: str
    email: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    domain: str
    industry: str
    employees: int


def place(random: Random, currency: str) -> Place:
    country, city, postal_code, state, calling = random.choice(_PLACES[currency])
    return Place(country, city, postal_code, state, f"{random.randint(1, 180)} {random.choice(_HEADS)} St", calling)


def organisation(random: Random, number: int) -> Organisation:
    """The `number`th organisation: no two share a name or domain."""
    head, tail = random.choice(_HEADS), random.choice(_TAILS)
    domain = f"{head}-{tail}{number}.example".lower()
    employees = random.choice((3, 8, 15, 40, 90, 220, 800, 3500))
    return Organisation(f"{head} {tail} {number}", domain, random.choice(INDUSTRIES), employees)


def person(random: Random, domain: str, calling: str, taken: set[str]) -> Person:
    """Somebody at `domain`, whose address is not in `taken` yet (and is added to it)."""
    tries = 0
    while True:
        first, last = random.choice(FIRST), random.choice(LAST)
        # In a large world the names at a shared domain run out: then people are numbered.
        number = "" if tries < 20 else str(random.randint(2, 9_999))
        email = f"{_ascii(first)}.{_ascii(last)}{number}@{domain}"
        tries += 1
        if email not in taken:
            break
    taken.add(email)
    phone = f"{calling}{random.randint(2_000_000, 9_999_999)}" if random.random() < 0.7 else None
    return Person(first, last, email, phone)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("\u0131", "i")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum() or letter == "-")
