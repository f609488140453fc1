"""Every column that a contract calls personal data gets the tag of its kind, and no other column gets one."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from google.cloud import bigquery

from scripts.policy_tags import kinds, tag
from tests.conftest import ROOT
from tests.support.pipeline import warehouse
from tributary.contracts.loader import load_contracts
from tributary.contracts.model import Pii
from tributary.warehouse.schema import raw_schema
from tributary.warehouse.tables import ensure_tables

TAGS = {str(kind): f"projects/p/locations/us/taxonomies/1/policyTags/{kind}" for kind in Pii}
CONTRACT = load_contracts("stripe")["customers"]


def tagged(table: bigquery.Table) -> dict[str, str]:
    return {f.name: f.policy_tags.names[0] for f in table.schema if f.policy_tags and f.policy_tags.names}


def test_columns_of_people_are_tagged_and_others_are_not():
    """On BigQuery's own table object: the emulator forgets tags."""
    layout = [bigquery.SchemaField.from_api_repr(field) for field in raw_schema(CONTRACT.tables[0])]
    # A tag from before, on a column that the contract has since cleared.
    layout[1] = bigquery.SchemaField("created", "TIMESTAMP", policy_tags=bigquery.PolicyTagList([TAGS["name"]]))
    table = bigquery.Table("p.raw.stripe_customers", layout)
    updates: list[list[str]] = []
    client = SimpleNamespace(get_table=lambda name: table, update_table=lambda table, fields: updates.append(fields))
    wanted = {column: TAGS[kind] for column, kind in kinds(CONTRACT.tables[0]).items()}
    assert tag(client, "p.raw.stripe_customers", wanted) == len(wanted) + 1
    assert updates == [["schema"]]
    result = tagged(table)
    assert result["email"] == TAGS["email"]
    assert result["address_line1"] == TAGS["address"]
    assert result["_extra"] == TAGS["free_text"]
    assert set(result) == {column.name for column in CONTRACT.columns if column.pii} | {"_extra"}
    assert [field.description for field in table.schema][2:] == [field.description for field in layout][2:]
    assert tag(client, "p.raw.stripe_customers", wanted) == 0, "a second time changes nothing"
    assert len(updates) == 1


@pytest.mark.emulators
def test_the_script_goes_through_every_table(services: dict[str, str]):
    ensure_tables(warehouse(), CONTRACT, {"dag": "test"})
    command = [sys.executable, str(ROOT / "scripts" / "policy_tags.py")]
    done = subprocess.run(command, input=json.dumps(TAGS), env=os.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"raw.stripe_customers: {len(kinds(CONTRACT.tables[0]))} columns changed" in done.stdout
    assert "raw_history.hubspot_contacts: " in done.stdout


def test_terraform_has_a_tag_for_every_kind():
    masking = (ROOT / "terraform" / "modules" / "warehouse" / "masking.tf").read_text()
    assert all(f"{kind} " in masking for kind in TAGS)
