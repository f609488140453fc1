"""What the contracts say of personal data is done before anything is staged, whichever way a record is read."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.conftest import ROOT
from tests.support.airflow import airflow_cli
from tests.support.pipeline import HISTORY, Pipeline, bucket, empty, query
from tests.support.world import World
from tributary.contracts.loader import ContractError, load_contract, load_contracts
from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.flatten.manifest import StagedManifest
from tributary.hooks.pii import personal
from tributary.landing.lake import LineWriter, read_lines
from tributary.landing.manifest import LandingManifest, landing_folder
from tributary.sources.base import Page

pytestmark = [pytest.mark.emulators, pytest.mark.usefixtures("services")]

CREATED = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())
HASHED = {"email": "hash", "name": "drop", "phone": "hash", "address": "drop", "free_text": "drop"}
SECRET = "jane.doe@private.example"
TABLES = [
    table.name for s, c in (("stripe", "customers"), ("hubspot", "contacts")) for table in load_contracts(s)[c].tables
]
DIGEST = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The declarations of a deployment that hashes."""
    folder = tmp_path_factory.mktemp("deployment") / "include"
    shutil.copytree(ROOT / "include", folder)
    (folder / "contracts" / "personal_data.yml").write_text(yaml.safe_dump(HASHED))
    return folder


@pytest.fixture(scope="module")
def contracts(include: Path) -> dict[str, Contract]:
    return {
        contract.name: contract
        for source in ("stripe", "hubspot")
        for contract in load_contracts(source, include / "contracts").values()
    }


def edited(include: Path, to: Path, *edits: tuple[str, str]) -> Path:
    """The contract of customers with something changed, among the others."""
    shutil.copytree(include / "contracts", to / "contracts")
    file = to / "contracts" / "stripe" / "customers.yml"
    text = file.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return file


def declared(column: str) -> tuple[str, str]:
    return "\ncolumns:\n", f"\ncolumns:\n  - {{{column}}}\n"


@pytest.fixture
def cleaned() -> Iterator[None]:
    """What is loaded here by other rules is left to nobody."""
    yield
    empty(*TABLES)


def land(pipeline: Pipeline, *records: Any) -> LandingManifest:
    now = datetime.now(UTC)
    item = pipeline.item("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    folder = landing_folder(item, f"personal{now:%H%M%S%f}")
    writer = LineWriter(bucket(), f"{folder}/pages")
    for record in records:
        writer.write(msgspec.json.encode(Page(observed_at=now, body=msgspec.Raw(json.dumps(record).encode()))))
    part = writer.close()
    assert part
    return LandingManifest(
        extraction_id=folder.rpartition("/")[2], folder=folder, item=item, axis="created", axis_reason="test",
        observed_from=now, observed_to=now, api_version="test", contract_version=1, records=len(records), children=0,
        gone=0, parts=[part], requests={},
    )  # fmt: skip


def staged(manifest: StagedManifest, table: str) -> list[dict[str, Any]]:
    parts = manifest.rejects if table == "rejects" else manifest.tables[table].parts
    return [json.loads(line) for part in parts for line in read_lines(bucket(), part.name)]


def customer(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"cus_{number}", "object": "customer", "created": CREATED, "livemode": False, **fields}


def test_values_are_hashed_or_left_out_and_a_record_with_surprises_is_treated_alike(include: Path, tmp_path: Path):
    domain = 'name: email_domain, type: STRING, path: email, as: domain, description: "Domain of the address."'
    pipeline = Pipeline("stripe", "customers", load_contract(edited(include, tmp_path, declared(domain))))
    plain = {"email": f"  {SECRET.upper()}", "name": "Jane Doe", "phone": "+44 20 7946 0000", "currency": "eur"}
    address = {"line1": "1 Private Road", "country": "GB"}
    records = (
        customer(1, **plain, address=address, metadata={"note": "Jane Doe"}),
        # An unknown field sends it down the careful path; the tag and the other spelling are the same mailbox and line.
        customer(
            2, **plain | {"email": "Jane.Doe+bills@private.example", "phone": "0044 2079460000"}, secret="Jane Doe"
        ),
        # Values that don't fit their columns would be kept in _extra.
        customer(3, email={"at": SECRET}, address="1 Private Road", currency="eur"),
        customer(4, email="n/a", name=None),
    )
    manifest = pipeline.flatten(land(pipeline, *records))
    found = staged(manifest, "stripe_customers")
    one, two, three, four = found
    assert DIGEST.fullmatch(one["email"])
    assert DIGEST.fullmatch(one["phone"])
    for row in (one, two):
        assert (row["email"], row["email_domain"], row["phone"], row["currency"]) == (
            one["email"], "private.example", one["phone"], "eur",
        )  # fmt: skip
    assert one["address_country"] == "GB", "not personal by the contract"
    for row in found:
        assert not {"name", "address_line1", "metadata", "_extra"} & {name for name, value in row.items() if value}
    assert three["currency"] == "eur"
    assert "email" not in three
    assert "email" not in four, "what is no mailbox joins with nothing"
    text = json.dumps(found).lower()
    assert not [word for word in ("jane", "doe", "private road", "7946") if word in text]


def test_a_contract_clears_what_somebody_has_looked_at(include: Path, tmp_path: Path):
    cleared = ("type: JSON, pii: free_text,", "type: JSON, pii: free_text, rule: clear,")
    file = edited(include, tmp_path, cleared, ("\ncolumns:\n", "\nextra: clear\ncolumns:\n"))
    pipeline = Pipeline("stripe", "customers", load_contract(file))
    record = customer(1, email={"at": SECRET}, address="1 Private Road", tier={"a": 1}, metadata={"plan": "x"})
    [row] = staged(pipeline.flatten(land(pipeline, record)), "stripe_customers")
    assert row["metadata"] == {"plan": "x"}
    assert row["_extra"] == {"tier": {"a": 1}}, "but not what belongs into a column with a rule"


def test_what_further_pages_and_children_take_over_is_hashed_once(contracts: dict[str, Contract]):
    pipeline = Pipeline("stripe", "invoices", contracts["stripe.invoices"])
    item = {"id": "il_1", "object": "line_item", "amount": 1, "currency": "usd"}
    lines = {"object": "list", "has_more": False, "data": [item]}
    invoice = {
        "id": "in_1", "object": "invoice", "created": CREATED, "customer": "cus_1", "customer_email": SECRET,
        "customer_shipping": {"name": "Jane Doe"}, "custom_fields": [{"name": "who", "value": "Jane Doe"}],
        "currency": "usd", "status": "open", "total": 1, "subtotal": 1, "amount_due": 1, "amount_paid": 0,
        "amount_remaining": 1, "lines": lines,
    }  # fmt: skip
    manifest = pipeline.flatten(land(pipeline, invoice))
    [row], [line] = staged(manifest, "stripe_invoices"), staged(manifest, "stripe_invoice_lines")
    assert DIGEST.fullmatch(row["customer_email"])
    assert line["customer_email"] == row["customer_email"]
    assert "Jane" not in json.dumps([row, line])


def test_nothing_that_is_set_aside_or_logged_shows_anybody(
    contracts: dict[str, Contract], caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    pipeline = Pipeline("stripe", "customers", contracts["stripe.customers"])
    records = [customer(1) | {"created": SECRET}, customer(2, balance=SECRET), {"id": 3, "created": {"by": SECRET}}]
    landing = land(pipeline, *records)
    manifest = pipeline.flatten(landing)
    assert manifest.rejected == 2
    assert SECRET not in json.dumps([staged(manifest, "rejects"), staged(manifest, "stripe_customers")])
    assert SECRET.encode() not in msgspec.json.encode(manifest)
    many = [customer(number) | {"created": SECRET} for number in range(12)]
    with pytest.raises(RefusedError) as refused:
        pipeline.flatten(land(pipeline, *many))
    assert "12 of 12 records break the contract" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "drift" in caplog.text or "field balance" in caplog.text
    assert SECRET not in caplog.text


def test_hashed_addresses_still_join_billing_and_crm(contracts: dict[str, Contract], world: World, cleaned: None):
    """On the simulated company, with its own spellings: the pairs are those of the addresses in clear."""
    join = r"""
        select distinct c.id, t.id as contact from raw.stripe_customers c join raw.hubspot_contacts t
        on regexp_replace(lower(trim(c.email)), r'\+[^@]*@', '@')
            = regexp_replace(lower(trim(t.email)), r'\+[^@]*@', '@')
        where c._deleted_at is null and t._deleted_at is null order by 1, 2"""
    pairs = []
    for rules in (contracts, {}):
        empty(*TABLES)
        for source, stream in (("stripe", "customers"), ("hubspot", "contacts")):
            Pipeline(source, stream, rules.get(f"{source}.{stream}")).run(*HISTORY, "created")
        pairs.append(query(join))
        if rules:
            shown = query("select email, additional_emails from raw.hubspot_contacts where email is not null")
            assert shown
            values = [part for row in shown for text in row.values() if text for part in text.split(";")]
            assert all(DIGEST.fullmatch(value) for value in values)
    assert pairs[0] == pairs[1]
    assert len(pairs[0]) > 5


def test_without_a_key_nothing_is_asked_for(
    contracts: dict[str, Contract], alone: dict[str, str], include: Path, world: World
):
    environment = {
        **alone,
        "TRIBUTARY_INCLUDE_DIR": str(include),
        "AIRFLOW_CONN_PII_DEFAULT": '{"conn_type": "generic"}',
    }
    conf = json.dumps({"streams": ["customers"], "window_start": "2026-01-01", "window_end": "2026-01-02"})
    text = airflow_cli(environment, "dags", "test", "ingest_stripe", "2026-01-03T12:00:00", "--conf", conf, fails=True)
    assert "connection pii_default has a key of less than 32 characters" in text
    assert not [request for request in world.requests("stripe") if "customers" in str(request)]


def test_a_missing_connection_is_named(contracts: dict[str, Contract], monkeypatch: pytest.MonkeyPatch):
    from tests.support.pipeline import warehouse

    monkeypatch.delenv("AIRFLOW_CONN_PII_DEFAULT")
    with pytest.raises(RefusedError, match=r"pii_default, the key .* does not exist; set AIRFLOW_CONN_PII_DEFAULT"):
        personal(contracts["stripe.customers"], "acme", warehouse())


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        ("type: JSON, pii: free_text, rule: hash", "can't be hashed"),
        ("type: STRING, rule: drop", "has a rule for personal data, but no `pii`"),
        ("type: STRING, pii: name, required: true, rule: drop", "can't be required and dropped"),
    ],
)
def test_a_rule_that_can_not_be_is_refused_with_its_line(column: str, complaint: str, include: Path, tmp_path: Path):
    file = edited(include, tmp_path, declared(f'name: odd, {column}, description: "Something about a person."'))
    with pytest.raises(ContractError, match=re.escape(complaint)) as error:
        load_contract(file)
    [line] = [number for number, text in enumerate(file.read_text().splitlines(), 1) if "name: odd" in text]
    assert f"customers.yml:{line}:" in str(error.value)
