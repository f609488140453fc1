"""Everything is documented, tested and generated from the contracts where it should be."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from local.settings import ROOT
from tests.dbt.runner import PROJECT, DbtRun
from tests.dbt.warehouse import tables
from tributary.cli.contracts import generated_files
from tributary.contracts.dbt_sources import render_docs, render_sources
from tributary.contracts.loader import load_all

#: A model that dbt doesn't find is a model that nothing here looks at.
MODELS = len(list(PROJECT.glob("models/**/*.sql")))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower())) - {"the", "a", "an", "of", "is", "in", "at", "s"}


def _columns(run: DbtRun) -> dict[str, dict[str, str]]:
    """Model, seed and source name -> column -> description as dbt renders it."""
    manifest = run.manifest
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    return {
        n["name"]: {c["name"]: c["description"] for c in n["columns"].values()}
        for n in [*nodes, *manifest["sources"].values()]
    }


def test_the_project_parses_without_a_word(parsed: DbtRun) -> None:
    assert parsed.code == 0, parsed.output
    assert "Warning" not in parsed.output and "deprecat" not in parsed.output.lower(), parsed.output


GENERATED = generated_files(ROOT)


@pytest.mark.parametrize("path", sorted(GENERATED), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Path) -> None:
    assert path.read_text() == GENERATED[path], f"run: make contracts ({path})"


def test_nothing_generated_is_left_behind() -> None:
    folders = {path.parent for path in GENERATED}
    marked = {
        path
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and "by `make contracts`" in path.read_text()[:200]
    }
    assert marked == set(GENERATED)


def test_the_data_dictionary_has_every_table_and_column() -> None:
    for source, streams in load_all().items():
        page = GENERATED[ROOT / "docs" / "data-dictionary" / f"{source}.md"]
        parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
        specs = {table.name: table for contract in streams.values() for table in contract.tables}
        assert set(parts) == set(specs)
        for name, spec in specs.items():
            contract = spec.contract
            for fact in (spec.description, contract.owner, f"version {contract.version}", contract.mode, *spec.key):
                assert str(fact) in parts[name], (name, fact)
            rows = dict(re.findall(r"^\| `(\w+)` (\|.*)$", parts[name], re.MULTILINE))
            assert list(rows) == [column.name for column in spec.columns]
            for column in spec.columns:
                said = [column.type, column.unit, column.pii, column.description.replace("|", "\\|")]
                assert all(str(one) in rows[column.name] for one in said if one), column.name


def test_sources_and_docs_hold_every_column_of_every_table() -> None:
    for source, streams in load_all().items():
        rendered = yaml.safe_load(render_sources(source, streams))["sources"][0]["tables"]
        docs = render_docs(streams)
        assert [t["name"] for t in rendered] == [t.name for _, c in sorted(streams.items()) for t in c.tables]
        for table in rendered:
            spec = tables()[table["name"]]
            names = [column["name"] for column in table["columns"]]
            assert names[: len(spec.columns)] == [column.name for column in spec.columns]
            assert {"client_id", "_record_date", "_deleted_at", "_extra"} <= set(names)
            assert all(f"{{% docs {spec.name}__{column.name} %}}" in docs for column in spec.columns)


def test_every_raw_table_has_a_staging_model(parsed: DbtRun) -> None:
    manifest = parsed.manifest
    staged = defaultdict(set)
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            sources = [parent for parent in node["depends_on"]["nodes"] if parent.startswith("source.")]
            assert not sources or node["fqn"][1] == "staging", node["name"]
            for parent in sources:
                table = parent.rsplit(".", 1)[1]
                # a model of versions reads the history and the current rows, which are its last versions
                if node["name"] == _staging(table) or not any(".history." in source for source in sources):
                    staged[table].add(node["name"])
    assert {table: {_staging(table)} for table in tables()} == staged


def _staging(table: str) -> str:
    return f"stg_{table.replace('_', '__', 1)}"


def test_every_model_and_column_is_described(parsed: DbtRun) -> None:
    models = [n for n in parsed.manifest["nodes"].values() if n["resource_type"] == "model"]
    assert len(models) == MODELS
    for node in models:
        assert len(node["description"]) > 20, node["name"]
        assert node["columns"], node["name"]
    for name, columns in _columns(parsed).items():
        for column, description in columns.items():
            assert len(description) >= 15, f"{name}.{column}: {description!r}"


def test_no_description_only_repeats_the_name(parsed: DbtRun) -> None:
    for name, columns in _columns(parsed).items():
        for column, description in columns.items():
            news = _words(description) - _words(column.replace("_", " ")) - _words(name.replace("_", " "))
            assert len(news) >= 2, f"{name}.{column}: {description!r} says nothing new"


def test_no_two_columns_of_a_table_share_a_description(parsed: DbtRun) -> None:
    for name, columns in _columns(parsed).items():
        by_text = defaultdict(list)
        for column, description in columns.items():
            by_text[description].append(column)
        assert not [c for c in by_text.values() if len(c) > 1], (name, [c for c in by_text.values() if len(c) > 1])


def test_every_model_has_a_key_test_a_layer_and_its_dataset(parsed: DbtRun) -> None:
    manifest = parsed.manifest
    keyed = {
        n["attached_node"]
        for n in manifest["nodes"].values()
        if n["resource_type"] == "test" and (n.get("test_metadata") or {}).get("name") == "primary_key"
    }
    datasets = {"staging": "staging", "intermediate": "staging", "mart": "mart"}
    for id_, node in manifest["nodes"].items():
        if node["resource_type"] == "model":
            layer = node["fqn"][1]
            assert node["tags"] == [layer]
            assert node["schema"] == datasets[layer], node["name"]
            assert id_ in keyed or node["name"] == "int_as_of", node["name"]
        if node["resource_type"] == "test":
            assert (node["schema"], node["config"]["store_failures"]) == ("dq", True), node["name"]


def test_every_contract_is_enforced(parsed: DbtRun) -> None:
    """So that the described columns are all the columns there are."""
    for node in parsed.manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert node["config"]["contract"]["enforced"], node["name"]


def test_no_model_knows_the_wall_clock() -> None:
    clock = re.compile(r"\b(current_(date|timestamp|datetime|time)|run_started_at|now\s*\()", re.IGNORECASE)
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("macros/**/*.sql"), *PROJECT.glob("tests/**/*.sql")]
    assert len(files) > 30
    assert not [path for path in files if clock.search(path.read_text())]


def test_staging_reads_raw_column_by_column() -> None:
    for path in PROJECT.glob("models/**/*.sql"):
        assert not re.search(r"select\s+\*", path.read_text(), re.IGNORECASE), path


def test_exposures_name_what_leaves_the_warehouse(parsed: DbtRun) -> None:
    exposures = parsed.manifest["exposures"].values()
    assert {exposure["type"] for exposure in exposures} == {"application", "dashboard"}
    for exposure in exposures:
        assert exposure["owner"]["email"] and len(exposure["description"]) > 50
        # what people and other systems read are marts, and who a person is
        parents = exposure["depends_on"]["nodes"]
        layers = {parsed.manifest["nodes"][id_]["fqn"][1] for id_ in parents if not id_.endswith(".int_persons")}
        assert layers == {"mart"}


def test_the_documentation_is_one_page_with_lineage(parsed: DbtRun) -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "docs.sh"), str(parsed.target)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (parsed.target / "static_index.html").read_text()
    for part in ("model.tributary.revenue", "exposure.tributary.revenue_dashboard", "child_map", "metric.tributary."):
        assert part in page
