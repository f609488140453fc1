"""A contract that can't be used is refused with file, line and reason."""

from pathlib import Path

import pytest

from tributary.contracts.loader import ContractError, load_all, load_contract
from tributary.contracts.system import SYSTEM_COLUMNS

GOOD = """\
source: stripe
stream: things
version: 1
owner: billing-data
description: One row per thing of the test.
freshness: 26h
key: [id]
time: {created: created}
daily: created
request: {path: /v1/things}
columns:
  - {name: id, type: STRING, description: "Identifier of the thing."}
  - {name: created, type: TIMESTAMP, description: "When the thing came into being."}
children:
  - stream: thing_parts
    description: One row per part of a thing.
    path: parts
    key: [thing_id, id]
    inherit: {thing_id: id}
    columns:
      - {name: id, type: STRING, description: "Identifier of the part."}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "stripe" / "things.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_contract_is_read(tmp_path):
    contract = load_contract(write(tmp_path, GOOD))
    assert [table.name for table in contract.tables] == ["stripe_things", "stripe_thing_parts"]
    own, child = contract.tables
    assert [column.name for column in child.columns] == ["thing_id", "id"]
    assert child.parent_key == ("thing_id",)
    assert child.columns[0].description == own.columns[0].description


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("version: 1\n", "version: 1\ncolour: red\n", 4, "colour: Extra inputs are not permitted"),
        ("type: TIMESTAMP", "type: MOMENT", 13, "columns.1.type: Input should be 'STRING'"),
        ("{name: created,", "{name: id,", 13, "duplicate column 'id'"),
        ("key: [id]\n", "key: [uid]\n", 7, "key column 'uid' is not declared"),
        ("key: [id]\n", "key: [id]\nkey: [id]\n", 8, "duplicate key 'key'"),
        ("freshness: 26h", "freshness: 26 hours", 6, "is no duration"),
        ("owner: billing-data\n", "", 1, "owner: Field required"),
        (
            "inherit: {thing_id: id}",
            "inherit: {thing_id: uid}",
            19,
            "inherits 'thing_id' from the unknown column 'uid'",
        ),
        ("time: {created: created}", "time: {created: born}", 8, "time column 'born' is not declared"),
        ("stream: things", "stream: others", 1, "expected stripe/others.yml"),
        ("key: [id]\n", "key: [id\n", 8, ""),
        ("type: TIMESTAMP,", "type: TIMESTAMP, min: 5,", 13, "column 'created' of type TIMESTAMP takes days as min"),
        ("type: TIMESTAMP,", "type: INT64, min: 2020-01-01,", 13, "of type INT64 takes numbers as min and max"),
        ("type: TIMESTAMP,", "type: BOOL, max: 1,", 13, "of type BOOL takes no range as min and max"),
        ("type: TIMESTAMP,", "type: INT64, min: 2, max: 1,", 13, "min 2.0 is above max 1.0"),
    ],
)
def test_a_bad_contract_names_file_line_and_reason(tmp_path, old, new, line, reason):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert reason in str(caught.value)


def test_the_shipped_contracts_load_and_never_shadow_a_system_column():
    contracts = load_all()
    assert set(contracts) == {"stripe", "hubspot"}
    for streams in contracts.values():
        for contract in streams.values():
            for table in contract.tables:
                names = [column.name for column in table.columns]
                assert len(names) == len(set(names))
                assert not set(names) & set(SYSTEM_COLUMNS)


def test_children_inherit_what_people_join_on():
    invoices = load_all()["stripe"]["invoices"]
    assert {"invoice_id", "customer_id", "customer_email", "currency"} <= set(invoices.children[0].inherit)
    for streams in load_all().values():
        for contract in streams.values():
            for table in contract.tables[1:]:
                assert set(table.parent_key) <= set(table.key), (
                    f"{table.name}: the parent's key is no part of the child's"
                )
