"""Many edits at once: imports, bulk edits, and portals full of properties with awkward names."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from simulators.world.crm_edits import CrmEdits, Values
from simulators.world.crm_links import LINKS_BY_NAME
from simulators.world.crm_properties import Property
from simulators.world.crm_shapes import record_object
from simulators.world.crm_traits import NOTES, NUMBERS
from simulators.world.crm_types import Kind
from simulators.world.moments import DAY, START, date_of, iso
from simulators.world.people import words
from simulators.world.store import JsonObject, Record, Store, Version, all_stays

#: Imported records count on from here.
FIRST_IMPORTED = 60_000_000_000_001
#: Longest name that HubSpot takes.
_LONGEST = 100
_RESERVED = words(
    """
    constructor prototype __proto__ __class__ hasownproperty tostring select from where group order table null true
    false default partition timestamp interval rows id properties archived createdat updatedat created_at updated_at
    _id _deleted_at __ ___a double__underscore trailing_ 1 007 2024 3rd_party 1e5 nan inf 0x10 class
    import def none self results paging after limit
    """
)


class Sketch(Version):
    """A version of an imported contact that is drawn only when somebody looks: a million of them fit into memory."""

    __slots__ = ("_id", "_number")

    def __init__(self, id: str, number: int, at: int) -> None:
        self.at = self.created = at
        self.gone = self.into = None
        self._id = id
        self._number = number

    @property
    def object(self) -> JsonObject:
        n = self._number
        values: dict[str, str | None] = {
            "email": f"import{n}@bulk-{n % 977}.example",
            "firstname": f"Name{n % 4_001}",
            "lastname": f"Imported {n}",
            "lifecyclestage": "subscriber" if n % 3 else "lead",
            "hs_lead_status": "NEW",
            "customer_status": "prospect",
            "billing_key": f"bk-{self._id}",
        }
        if n % 7 == 0:
            values["annual_budget"] = NUMBERS[n % len(NUMBERS)]
        return record_object("contacts", self._id, values, self.created, self.at, None)


def import_contacts(store: Store, count: int, since: int, until: int) -> tuple[str, str]:
    """Adds contacts, created evenly from `since` to `until` (ms); returns the first and the last id."""
    with all_stays():
        records = store["contacts"].records
        first = max(FIRST_IMPORTED, max((int(id) for id in records if id.isdigit() and len(id) < 16), default=0) + 1)
        store["contacts"].add_all(_imported(first, count, since, until))
    # No need to look at them at every collection from now on.
    gc.freeze()
    return str(first), str(first + count - 1)


def _imported(first: int, count: int, since: int, until: int) -> Iterator[Record]:
    for number in range(count):
        created = since + (until - since) * number // max(1, count - 1)
        id = str(first + number)
        yield Record(id, [Sketch(id, number, created)])


def edit_many(edits: CrmEdits, store: Store, kind: Kind, count: int, values: Values, at: int) -> list[str]:
    """Sets properties of the first `count` live records in one instant; returns their ids."""
    ids = [row.id for row in store[kind].snapshot(at).rows[:count]]
    for id in ids:
        edits.update(kind, id, values, at)
    return ids


def link_many(edits: CrmEdits, store: Store, name: str, source: str, count: int, at: int) -> list[str]:
    """Associates a record with `count` live records of the other kind; returns their ids."""
    link = LINKS_BY_NAME[name]
    ends = (row.id.partition(":") for row in store[name].snapshot(at).rows)
    there = {target for one, _, target in ends if one == source}
    others = (row.id for row in store[link.target].snapshot(at).rows if row.id not in there)
    ids = list(islice(others, count))
    for id in ids:
        edits.link(name, source, id, at, count=False)
    edits.recount(link, source, at)
    return ids


def awkward_properties(count: int, taken: set[str], at: int) -> list[Property]:
    """Custom properties whose names and labels break what is careless. HubSpot's names have no spaces."""
    types = ("string", "number", "datetime", "date", "enumeration", "bool", "phone_number")
    names = [name for name in _RESERVED if name not in taken]
    number = 0
    while len(names) < count:
        stem = f"custom_{number}_" if number % 9 else f"{number}__"
        name = (stem + "x" * _LONGEST)[:_LONGEST] if number % 10 == 0 else f"{stem}score".lower()
        number += 1
        if name not in taken:
            names.append(name)
    found = []
    for index, name in enumerate(names[:count]):
        type = types[index % len(types)]
        plain = Property(name, type, _label(index), "custom_group", custom=True, created=at)
        if type == "enumeration":
            options = ("a", "B", "c d", "é", "a,b")
            plain = replace(plain, options=options, field="checkbox" if index % 2 else "select")
        found.append(plain)
    return found


def _label(index: int) -> str:
    return (f"Größe {index}", f"数値 {index}", f'Label "{index}"', f"emoji 🚀 {index}", f"a;b,c\t{index}")[index % 5]


def awkward_value(property: Property, number: int) -> str:
    """A value in one of the dialects of the property's type."""
    day = START + number * DAY % (500 * DAY)
    dialects: dict[str, tuple[str, ...]] = {
        "number": NUMBERS,
        "date": (date_of(day), str(day), ""),
        "datetime": (iso(day + 12_345), str(day + 999), f"{date_of(day)}T00:00:00Z", ""),
        "bool": ("true", "false", ""),
        "enumeration": ("a;B", "c d", "é", "") if property.several else ("a", "é", ""),
        "phone_number": ("+15550100", "0049 221", ""),
    }
    choices = dialects.get(property.type, NOTES)
    return choices[number % len(choices)]
