"""Where people are named in the marts, it is said so: those columns get the policy tag of their kind."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.dbt.runner import DbtRun, run_dbt
from tests.dbt.warehouse import Warehouse, tables
from tests.support.bigquery import bigquery_proxy

#: Values that many records share (a country, "monthly") name nobody.
SHORTEST = 6


def marked(parsed: DbtRun) -> dict[tuple[str, str], str]:
    """(mart, column) -> kind of personal data, as the project's documentation says."""
    return {
        (node["name"], name): column["config"]["meta"]["pii"]
        for node in parsed.manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "mart"
        for name, column in node["columns"].items()
        if "pii" in column["config"].get("meta", {})
    }


def personal_values(warehouse: Warehouse) -> dict[str, set[str]]:
    """Value -> kinds of personal data of the raw columns that hold it; without what is in other columns too."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for name, table in tables().items():
        for column in (column for column in table.columns if column.type == "STRING"):
            sql = f"select distinct {column.name} as value from raw.{name} where length({column.name}) >= {SHORTEST}"
            for row in warehouse.query(sql):
                kinds[row["value"].strip().lower()].add(str(column.pii or ""))
    return {value: found for value, found in kinds.items() if "" not in found}


@pytest.mark.emulators
def test_no_mart_holds_a_persons_value_in_a_column_that_is_not_marked(
    parsed: DbtRun, built: DbtRun, warehouse: Warehouse
) -> None:
    personal, found = personal_values(warehouse), defaultdict(set)
    assert {kind for kinds in personal.values() for kind in kinds} >= {"email", "name"}
    for node in parsed.manifest["nodes"].values():
        if node["resource_type"] != "model" or node["schema"] != "mart":
            continue
        for column in (name for name, c in node["columns"].items() if c["data_type"] == "string"):
            for row in warehouse.query(f"select distinct {column} as value from mart.{node['name']}"):
                for kind in personal.get((row["value"] or "").strip().lower(), ()):
                    found[node["name"], column].add(kind)
    wanted = marked(parsed)
    assert set(found) == set(wanted), "columns that hold what a contract calls personal, and columns marked as such"
    assert {key: kind for key, kind in wanted.items() if kind not in found[key]} == {}


@pytest.mark.emulators
def test_marked_columns_get_the_policy_tag_of_their_kind(
    parsed: DbtRun, built: DbtRun, warehouse: Warehouse, tmp_path: Path
) -> None:
    """In the requests, since the emulator forgets tags."""
    wanted = {column: kind for (mart, column), kind in marked(parsed).items() if mart == "customers"}
    tags = {kind: f"projects/p/locations/us/taxonomies/1/policyTags/{kind}" for kind in ("email", "phone")}
    with bigquery_proxy(warehouse.settings.bigquery_url) as (url, proxy):
        environment = {"TRIBUTARY_POLICY_TAGS": json.dumps(tags), "DBT_BIGQUERY_ENDPOINT": url}
        run = run_dbt(["run", "--select", "customers"], tmp_path, warehouse.settings, environment)
    assert run.code == 0, run.output
    (fields,) = [patch["schema"]["fields"] for patch in proxy.patches if "schema" in patch]
    sent = {field["name"]: field["policyTags"]["names"] for field in fields}
    assert wanted and {name: names for name, names in sent.items() if names} == {
        column: [tags[kind]] for column, kind in wanted.items() if kind in tags
    }
    assert all(field["description"] for field in fields)
