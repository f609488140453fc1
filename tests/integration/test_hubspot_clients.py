"""New object types, several portals, and the operator: what needs no code, and what Airflow does with a long wait."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from local.services import SIMULATORS
from local.stack import start_stack
from tests.conftest import CUSTOMERS, variables
from tests.support.pipeline import HISTORY, Pipeline, bucket, empty, query
from tests.support.world import World
from tributary.clients import Client
from tributary.contracts.loader import load_contract
from tributary.errors import RefusedError
from tributary.landing.lake import read_json
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.operators.ingest.api_to_landing import ApiToLandingOperator

pytestmark = pytest.mark.emulators

WORKSPACES = """
source: hubspot
stream: workspaces
version: 1
owner: crm-data
description: One row per workspace, a custom object of the portal.
freshness: 26h
key: [id]
time: {created: hs_createdate, changed: hs_lastmodifieddate, immutable: false}
daily: changed
lookback: 1d
index_lag: 5m
merged_ids: properties.hs_merged_object_ids
request:
  object: p4242_workspaces
columns:
  - {name: id, type: STRING, description: "Record id of the workspace."}
  - {name: created_at, type: TIMESTAMP, path: createdAt, required: true, description: "When it was stored."}
  - {name: updated_at, type: TIMESTAMP, path: updatedAt, description: "When it was last written."}
  - {name: archived, type: BOOL, description: "Whether it lies in the recycle bin."}
  - {name: archived_at, type: TIMESTAMP, path: archivedAt, description: "Since when it lies there."}
  - {name: hs_createdate, type: TIMESTAMP, path: properties.hs_createdate, description: "Create date as shown."}
  - {name: hs_lastmodifieddate, type: TIMESTAMP, path: properties.hs_lastmodifieddate, description: "Last change."}
  - {name: seats, type: INT64, path: properties.seats, description: "Seats that were bought."}
  - {name: active, type: BOOL, path: properties.active, description: "Whether people use it."}
  - {name: opened_on, type: DATE, path: properties.opened_on, description: "Day on which it was opened."}
  - {name: properties_other, type: JSON, path: properties, as: rest, description: "All other properties."}
known: [url, properties.hs_object_id]
"""


def test_a_custom_object_is_one_yaml_file(own_world, tmp_path):
    folder = tmp_path / "hubspot"
    folder.mkdir()
    (folder / "workspaces.yml").write_text(WORKSPACES)
    pipeline = Pipeline("hubspot", "workspaces", load_contract(folder / "workspaces.yml"))
    empty("hubspot_workspaces")
    pipeline.run(*HISTORY)
    own_world.clock("2026-01-04T12:00:00Z")
    [edited] = own_world.hubspot_sim("bulk/workspaces/edit", count=1, properties={"seats": "1,234"})["ids"]
    own_world.clock("2026-01-05T06:00:00Z")
    counts = pipeline.run("2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z")["hubspot_workspaces"]
    assert counts["loaded"] >= 1
    rows = {row["id"]: row for row in query("select * from raw.hubspot_workspaces where _deleted_at is null")}
    books = {entry["id"]: entry["object"] for entry in own_world.books("hubspot", "workspaces")}
    assert rows[edited]["seats"] == 1234
    assert rows.keys() == {id_ for id_, shape in books.items() if not shape["archived"]}
    for id_, row in rows.items():
        properties = books[id_]["properties"]
        assert row["properties_other"]["workspace_name"] == properties["workspace_name"]
        assert str(row["opened_on"]) == str(properties["opened_on"])


@pytest.fixture
def two_portals(own_world: World, tmp_path: Path) -> Iterator[tuple[World, World]]:
    """The connection `hubspot_default` leads to one portal, `hubspot_second` to another."""
    with start_stack(SIMULATORS, base_dir=tmp_path / "second", world_customers=CUSTOMERS) as environment:
        second = World.of(environment)
        second.reset()
        second.hubspot_sim("portal", method="PUT", portal_id=5353)
        with variables({"AIRFLOW_CONN_HUBSPOT_SECOND": environment["AIRFLOW_CONN_HUBSPOT_DEFAULT"]}):
            yield own_world, second


def test_portals_do_not_touch_each_other(two_portals):
    """The same ids in both; one is archived in the second portal only."""
    _, second = two_portals
    empty("hubspot_companies", "hubspot_company_merges")
    mine, theirs = Pipeline("hubspot", "companies"), Pipeline("hubspot", "companies")
    theirs.client = Client(
        client_id="other",
        connection="hubspot_second",
        account="5353",
        since=mine.client.since,
        requests_per_second=1000,
    )
    mine.run(*HISTORY)
    theirs.run(*HISTORY)
    ids = "select id from raw.hubspot_companies where client_id = '{}' and _deleted_at is null order by id"
    before = query(ids.format("acme"))
    assert before == query(ids.format("other"))
    second.hubspot_sim(f"records/companies/{before[0]['id']}/archive")
    theirs.run(*HISTORY)
    assert query(ids.format("acme")) == before
    assert query(ids.format("other")) == before[1:]


def test_a_connection_that_leads_to_another_portal_is_refused(two_portals):
    pipeline = Pipeline("hubspot", "owners")
    pipeline.client = pipeline.client.model_copy(update={"connection": "hubspot_second"})
    with pytest.raises(RefusedError, match="leads to HubSpot portal 5353, but client acme is pinned to 4242"):
        pipeline.extract(*HISTORY)


def test_a_task_that_has_to_wait_for_the_quota_is_deferred_and_goes_on(own_world):
    own_world.clock("2026-01-04T12:00:00Z")
    own_world.hubspot_sim("bulk/contacts/import", count=3_000)
    own_world.clock("2026-01-05T06:00:00Z")
    own_world.hubspot_sim("settings", method="PUT", rate_limits=True)
    own_world.hubspot_sim("portal", method="PUT", requests_per_ten_seconds=100_000, requests_left_today=20)
    item = Pipeline("hubspot", "contacts").item("2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z").to_dict()
    operator = ApiToLandingOperator(task_id="extract", item=item)
    started = SimpleNamespace(start_date="2026-01-05")
    ti = SimpleNamespace(dag_id="d", run_id="quota", task_id="extract", map_index=0, max_tries=0)
    context: dict[str, Any] = {"ti": ti, "dag_run": started}
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(context)
    moment = caught.value.trigger.moment
    assert (moment.hour, moment.minute) == (0, 0)
    assert json.dumps(caught.value.trigger.serialize()[1], default=str)
    own_world.clock("2026-01-06T00:00:00Z")
    folder = getattr(operator, caught.value.method_name)(context, {"moment": str(moment)})
    manifest = read_json(bucket(), manifest_name(folder), LandingManifest)
    assert manifest is not None
    assert manifest.records >= 3_000
