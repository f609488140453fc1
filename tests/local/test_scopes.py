"""How `pytest -n` hands out the tests."""

from tests.conftest import APART, LONGEST, ROOT, TOGETHER, scope_of


def test_what_is_named_exists() -> None:
    assert all((ROOT / "tests" / folder).is_dir() for folder in LONGEST)
    assert set(TOGETHER) <= set(LONGEST)
    assert all((ROOT / module).is_file() for module in APART)


def test_a_module_is_handed_out_whole_and_a_folder_that_shares_a_warehouse_too() -> None:
    pipeline, recovery = "tests/e2e/test_pipeline.py::test_a", "tests/e2e/test_recovery.py::test_b"
    assert scope_of(pipeline) == scope_of(recovery) == "e2e"
    parts = {f"tests/integration/test_{name}.py" for name in ("load", "evolve")}
    assert {scope_of(f"{part}::TestX::test_a[1-a::b]") for part in parts} == parts
    assert scope_of("tests/dbt/test_cost.py::test_a") == scope_of("tests/dbt/test_build.py::test_b") == "dbt"
    assert scope_of("tests/dbt/test_rebuild.py::test_a") == "tests/dbt/test_rebuild.py"
    assert scope_of("tests/tributary/api/test_mending.py::test_a") == "tests/tributary/api/test_mending.py"
