"""The hourly checks that BigQuery runs in production, on the emulator."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.pipeline import HISTORY, Pipeline, query
from tests.support.world import World

pytestmark = pytest.mark.emulators

SQL = ROOT / "terraform" / "modules" / "monitoring" / "sql"
AGES = 2_000_000
"""Hours; the simulated world lies in the past."""


def rendered(template: str, folder: Path, **values: Any) -> str:
    """The query as Terraform writes it."""
    if not shutil.which("terraform"):
        pytest.skip("needs terraform")
    expression = (
        f"jsonencode(templatefile({json.dumps(str(SQL / template))}, jsondecode({json.dumps(json.dumps(values))})))"
    )
    done = subprocess.run(["terraform", "console"], input=expression, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text: str = json.loads(json.loads(done.stdout))
    return text


@pytest.fixture
def loaded(world: World) -> Pipeline:
    pipeline = Pipeline("stripe", "products")
    pipeline.run(*HISTORY)
    return pipeline


def stream(name: str, hours: int) -> dict[str, Any]:
    return {"source": "stripe", "stream": name, "client_id": "acme", "hours": hours}


def test_a_stream_that_is_late_or_was_never_loaded_is_named(loaded: Pipeline, tmp_path: Path):
    project = loaded_project()
    fresh = rendered("stale.sql", tmp_path, project=project, expected=[stream("products", AGES)])
    assert query(fresh) == [{"outcome": "ok"}]
    late = [stream("products", 26), stream("no_such_stream", AGES)]
    with pytest.raises(Exception, match=r"stale: .*stripe\.products of client acme") as failure:
        query(rendered("stale.sql", tmp_path, project=project, expected=late))
    assert "stripe.no_such_stream of client acme" in str(failure.value)


def test_rejects_are_named(loaded: Pipeline, tmp_path: Path):
    check = rendered("rejects.sql", tmp_path, project=loaded_project())
    mark = "load_id = 'test-of-rejects'"
    query(
        "insert into ops.ledger (load_id, kind, source, stream, client_id, received, rejected, loaded_at) "
        "values ('test-of-rejects', 'load', 'stripe', 'products', 'acme', 10, 3, current_timestamp())"
    )
    try:
        with pytest.raises(Exception, match=r"rejects: .*stripe\.products of client acme: 3"):
            query(check)
    finally:
        query(f"delete from ops.ledger where {mark}")
    assert "stripe.products" not in outcome(check)


def outcome(sql: str) -> str:
    """What a check says; other tests of this session may have left rejects of their own."""
    try:
        return str(query(sql))
    except Exception as error:  # noqa: BLE001
        return str(error)


def loaded_project() -> str:
    from tributary.settings import settings

    return settings().project
