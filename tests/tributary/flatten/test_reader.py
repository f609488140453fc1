"""Both ways of reading a record give the same bytes, and nothing that came in is lost."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.contracts import changed
from tests.tributary.flatten.records import records
from tributary.contracts.loader import load_all
from tributary.contracts.model import Column, Contract, Mode
from tributary.flatten.careful import CarefulReader
from tributary.flatten.fast import DECLINED, FastReader
from tributary.flatten.reader import Reader
from tributary.flatten.rows import Gone, Nested, Reading, Rejected
from tributary.sources import source
from tributary.sources.base import Page

LOADED = load_all()
CUSTOMERS = LOADED["stripe"]["customers"]
DOMAIN = Column.model_validate(
    {"name": "domain", "type": "STRING", "path": "email", "as": "domain", "description": "Domain of it."}
)
CONTRACTS = [contract for contracts in LOADED.values() for contract in contracts.values()]
CONTRACTS += [CUSTOMERS.model_copy(update={"columns": (*CUSTOMERS.columns, DOMAIN)})]
NOW = datetime(2026, 1, 5, tzinfo=UTC)
encode = msgspec.json.encode
thorough = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
contracts = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
#: As different servers write it.
written = st.sampled_from([json.dumps, partial(json.dumps, ensure_ascii=False, separators=(",", ":"))])


def page(body: Any, write: Any = json.dumps, **fields: Any) -> Page:
    return Page(observed_at=NOW, body=msgspec.Raw(write(body).encode()), **fields)


def shown(reading: Any) -> Any:
    """Everything about a reading, as bytes where it is written as bytes."""
    if isinstance(reading, Reading):
        rows = [(stream, [encode(row) for row in rows]) for stream, rows in reading.children]
        drift = [(stream, *one[:3], bytes(one.value)) for stream, one in reading.drift]
        return encode(reading.row), rows, drift, reading.merged, reading.deleted_at
    if isinstance(reading, Rejected):
        return vars(reading.error), reading.key, reading.nested
    if isinstance(reading, Nested):
        error = reading.error and vars(reading.error)
        return reading.parent, reading.items, [encode(row) for row in reading.rows], len(reading.drift), error
    return reading


@contracts
@given(data=st.data())
@thorough
def test_a_page_gives_the_same_rows_whichever_way_it_takes(contract: Contract, data: st.DataObject):
    found = data.draw(st.lists(records(contract.tables[0]), min_size=1, max_size=3))
    api = source(contract.source)
    write: Any = data.draw(written)
    careful, fast = CarefulReader(api, contract), FastReader(api, contract)
    expected = [shown(careful.read(msgspec.Raw(write(record).encode()))) for record in found]
    listed = page({"object": "list", "data": found, "has_more": False}, write, items="data")
    assert [shown(reading) for reading in Reader(api, contract).records(listed)] == expected
    for record, wanted in zip(found, expected, strict=True):
        with suppress(*DECLINED):
            assert shown(fast.read(fast.record(msgspec.Raw(write(record).encode())))) == wanted
        assert [shown(reading) for reading in Reader(api, contract).records(page(record, write))] == [wanted]


@contracts
@given(data=st.data())
@thorough
def test_a_record_that_fits_its_contract_takes_the_fast_path(contract: Contract, data: st.DataObject):
    """Whatever is expanded, absent, null, or written in the older shape."""
    api = source(contract.source)
    write: Any = data.draw(written)
    raw = msgspec.Raw(write(data.draw(records(contract.tables[0], wild=False))).encode())
    fast = FastReader(api, contract)
    assert shown(fast.read(fast.record(raw))) == shown(CarefulReader(api, contract).read(raw))


@pytest.mark.parametrize(
    ("contract", "child"),
    [(contract, table.stream) for contract in CONTRACTS for table in contract.tables if table.child],
    ids=lambda value: value if isinstance(value, str) else "",
)
@given(data=st.data())
@thorough
def test_further_items_give_the_same_rows_whichever_way_they_take(contract: Contract, child: str, data: st.DataObject):
    table = next(table for table in contract.tables if table.stream == child)
    items = data.draw(st.lists(records(table), max_size=3))
    row = msgspec.defstruct("Parent", [column.name for column in contract.columns])
    parents = {"1": row(*(f"p{n}" for n, _ in enumerate(contract.columns))), "2": None}
    reader, careful = (Reader(source(contract.source), contract) for _ in range(2))
    careful._fast = _Declines()  # type: ignore[assignment]
    edges = [{"from": {"id": id_}, "to": items, "paging": None} for id_ in parents]
    for pages in (
        page({"data": items}, items="data", child=child, parent="1"),
        page({"data": items}, items="data", child=child, parent="2"),
        page({"results": edges}, items="results", child=child, associations=True),
    ):
        found = [shown(group) for group in reader.nested(pages, parents)]
        assert found == [shown(group) for group in careful.nested(pages, parents)]
        assert sum(group[1] for group in found) == len(items) * len(found)


class _Declines:
    def groups(self, *_: Any) -> Any:
        raise DECLINED[0]


@contracts
@given(data=st.data())
@thorough
def test_nothing_is_lost(contract: Contract, data: st.DataObject):
    """Every field of a record that was read is in a column, known to the contract, or kept in `_extra`."""
    record = data.draw(records(contract.tables[0]))
    reading = CarefulReader(source(contract.source), contract).read(msgspec.Raw(json.dumps(record).encode()))
    if not isinstance(reading, Reading):
        assert isinstance(reading, Gone | Rejected)
        return
    extra = json.loads(encode(reading.row._extra)) or {}
    named = {path for column in contract.columns for path in column.path}
    named |= {path.removesuffix(".*") for path in contract.known} | {child.path for child in contract.children}
    named |= set(contract.merged_ids)
    for path, value in _fields(record, named):
        if path not in named:
            assert path in extra, path
            assert extra[path] == value or value != value
    assert len(reading.drift) >= len(extra)


def _fields(record: dict[str, Any], named: set[str], prefix: str = "") -> Any:
    """Fields down to where the contract names them or knows nothing below."""
    for name, value in record.items():
        path = prefix + name
        below = any(other.startswith(f"{path}.") for other in named)
        if path not in named and below and (value is None or isinstance(value, dict)):
            yield from _fields(value or {}, named, f"{path}.")
        else:
            yield path, value


def test_a_frozen_or_quarantined_record_is_judged_by_the_careful_path():
    contract = next(c for c in CONTRACTS if c.name == "stripe.products").model_copy(update={"mode": Mode.QUARANTINE})
    record = {"id": "prod_1", "object": "product", "created": 1700000000, "name": "Plan", "active": True, "new": [1]}
    [reading] = Reader(source("stripe"), contract).records(page({"data": [record]}, items="data"))
    assert isinstance(reading, Rejected)
    assert (reading.error.reason, reading.error.path, reading.key) == ("drift", "new", "prod_1")


def test_numbers_and_json_pass_exactly():
    """A NUMERIC never becomes a float, and JSON lands as it was received."""
    contract = next(c for c in CONTRACTS if c.name == "hubspot.deals")
    column = next(c for c in contract.columns if c.name == "amount")
    text = (
        '{"results":[{"id":"1","createdAt":"2026-01-05T00:00:00.000Z","properties":'
        '{"amount":12345678901234567.123456789}}]}'
    )
    body = Page(observed_at=NOW, body=msgspec.Raw(text.encode()), items="results")
    for reader in (Reader(source("hubspot"), contract), _only_careful(contract)):
        [reading] = reader.records(body)
        assert isinstance(reading, Reading)
        assert getattr(reading.row, column.name) == "12345678901234567.123456789"


def _only_careful(contract: Contract) -> Reader:
    reader = Reader(source(contract.source), contract)
    careful = reader._careful
    reader._fast.records = lambda *_: (_ for _ in ()).throw(DECLINED[0])  # type: ignore[method-assign]
    reader._record = careful.read  # type: ignore[method-assign]
    return reader


DEALS = LOADED["hubspot"]["deals"]


def deal(properties: str) -> Reading:
    """A deal with these properties, as both ways read it."""
    text = f'{{"id":"1","createdAt":"2026-01-05T00:00:00.000Z","properties":{properties}}}'
    page = Page(observed_at=NOW, body=msgspec.Raw(f'{{"results":[{text}]}}'.encode()), items="results")
    readers = (Reader(source("hubspot"), DEALS), _only_careful(DEALS))
    for reader in readers:
        reader.define(DEFINITIONS)
    [reading], [careful] = (reader.records(page) for reader in readers)
    assert shown(reading) == shown(careful)
    assert isinstance(reading, Reading)
    return reading


DEFINITIONS = page({"results": [{"name": "probes", "type": "number", "fieldType": "number"}]}, items="results")


@pytest.mark.parametrize(
    "text", ['"7e5000000"', '"8,5"', '"2.750,90"', "7e5000000", "1e400", '"1e400"', "1e" + "9" * 30]
)
def test_a_number_that_nobody_can_use_is_null_and_kept_and_told(text: str):
    """Whether it is text or a number on the wire, in a column or in the rest of the properties."""
    reading = deal(f'{{"amount":{text},"probes":{text},"dealname":"kept"}}')
    row = msgspec.json.decode(encode(reading.row))
    assert (row.get("amount"), row.get("properties_other"), row["dealname"]) == (None, None, "kept")
    kept = {path: str(value) for path, value in row["_extra"].items()}
    assert kept == dict.fromkeys(("properties.amount", "properties.probes"), text.strip('"'))
    assert {(one.kind, one.path) for _, one in reading.drift} == {("type", path) for path in kept}


def test_a_rounded_number_is_in_its_column_and_kept_as_it_came():
    reading = deal('{"amount":"917.43119266055","amount_in_home_currency":917.43119266055,"hs_mrr":"10.5"}')
    row = msgspec.json.decode(encode(reading.row))
    assert (row["amount"], row["amount_in_home_currency"], row["mrr"]) == ("917.431192661", "917.431192661", "10.5")
    assert row["_extra"] == {
        "properties.amount": "917.43119266055",
        "properties.amount_in_home_currency": 917.43119266055,
    }
    assert {(one.kind, one.found) for _, one in reading.drift} == {
        ("rounded", "string of more than 9 decimals"),
        ("rounded", "number of more than 9 decimals"),
    }


def test_every_digit_of_a_double_is_no_drift():
    """As HubSpot writes what it computes."""
    reading = deal('{"hs_deal_stage_probability":"0.200000000000000011102230246251565404236316680908203125"}')
    assert msgspec.json.decode(encode(reading.row))["stage_probability"] == "0.2"
    assert reading.drift == ()


def test_a_rounded_number_is_judged_by_its_range():
    raw = '{"id":"1","createdAt":"2026-01-05T00:00:00Z","properties":{"hs_deal_stage_probability":"%s"}}'
    careful = CarefulReader(source("hubspot"), DEALS)
    assert isinstance(careful.read(msgspec.Raw((raw % "1.00000000001").encode())), Reading)
    rejected = careful.read(msgspec.Raw((raw % "1.10000000001").encode()))
    assert isinstance(rejected, Rejected)
    assert rejected.error.reason == "range"


def test_what_only_informs_stops_nothing():
    """A number that no decoder takes, where a flag or an id of what was merged is looked for."""
    raw = b'{"id":"1","createdAt":"2026-01-05T00:00:00Z","archived":1e400,"properties":{"hs_merged_object_ids":1e400}}'
    reading = CarefulReader(source("hubspot"), DEALS).read(msgspec.Raw(raw))
    assert isinstance(reading, Reading)
    assert (reading.deleted_at, reading.merged) == (None, [None])


DAYS = (date(2000, 1, 1), date(2099, 12, 31))
RANGES = [
    ("total", "INT64", -1000, 10**7, [-1000, 10**7, "-1000", -1000.0, None], [-1001, 10**7 + 1, -500_000, "-500000"]),
    ("total", "INT64", -0.5, 1.5, [0, 1], [-1, 2, "2"]),
    ("total", "NUMERIC", 0, 1, [0, 1, "0.5", "1.000"], [-1, 1.000001, "1.000001"]),
    ("total", "FLOAT64", 0, None, [0, 1e300], [-0.1, "-1"]),
    ("due_date", "TIMESTAMP", *DAYS, [946684800, 4102444799, "2000-01-01T00:00:00Z", "2099-12-31T23:59:59.9Z", ""],
     [946684799, 4102444800, "1999-12-31T23:59:59.9Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00Z", -62135596800]),
    ("due_date", "DATE", *DAYS, ["2000-01-01", "2099-12-31", 946684800], ["1999-12-31", "2100-01-01", 86_400]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "type_", "low", "high", "inside", "outside"), RANGES)
def test_what_is_outside_the_declared_range_is_a_reject_either_way(
    name: str, type_: str, low: Any, high: Any, inside: list[Any], outside: list[Any], tmp_path: Path
):
    contract = changed(tmp_path, {"name": name, "type": type_, "min": low, "max": high})
    api = source("stripe")
    for value in [*inside, *outside]:
        record = {"id": "in_1", "created": 1700000000, "currency": "usd", "total": 1, "amount_paid": 1, name: value}
        raw = msgspec.Raw(json.dumps(record).encode())
        careful = CarefulReader(api, contract).read(raw)
        fast = FastReader(api, contract)
        if value in inside:
            assert shown(fast.read(fast.record(raw))) == shown(careful)
            continue
        assert isinstance(careful, Rejected)
        assert (careful.error.reason, careful.error.path) == ("range", name)
        assert str(value) not in careful.error.detail
        with pytest.raises(DECLINED):
            fast.read(fast.record(raw))


def test_a_year_that_no_calendar_has_is_a_reject():
    contract = next(c for c in CONTRACTS if c.name == "stripe.invoices")
    record = {"id": "in_1", "created": 568_971_820_800, "currency": "usd", "total": 1, "amount_paid": 1}
    [reading] = Reader(source("stripe"), contract).records(page({"data": [record]}, items="data"))
    assert isinstance(reading, Rejected)
    assert (reading.error.reason, reading.error.path) == ("type", "created")


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({"attempt_count": 0}, True),
        ({"attempt_count": -1}, False),
        ({"attempt_count": "-1"}, False),
        ({"amount_paid": 2**63}, False),
        ({"amount_paid": None}, False),
    ],
)
def test_ranges_and_required_values_hold_on_the_fast_path(changed: dict[str, Any], fits: bool):
    contract = next(c for c in CONTRACTS if c.name == "stripe.invoices")
    record = {"id": "in_1", "created": 1700000000, "currency": "usd", "total": 1, "amount_paid": 1} | changed
    [reading] = Reader(source("stripe"), contract).records(page({"data": [record]}, items="data"))
    assert isinstance(reading, Reading if fits else Rejected)
    if fits:
        FastReader(source("stripe"), contract).record(json.dumps(record).encode())
