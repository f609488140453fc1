"""`make migrate`: the ops tables of an older release are brought up to this one, those of a newer one stay."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.pipeline import query, warehouse
from tributary.warehouse.tables import OPS_VERSION, migrate

pytestmark = pytest.mark.emulators


@pytest.fixture(autouse=True)
def migrated(services: dict[str, str]) -> Iterator[None]:
    migrate(warehouse(), {})
    yield
    query(f"delete from ops.migrations where version != {OPS_VERSION}")
    migrate(warehouse(), {})


def command() -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    run = [sys.executable, "-m", "tributary.cli.migrate"]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_an_older_version_is_brought_up_and_keeps_its_rows():
    query("insert into ops.ledger (load_id, kind, client_id, stream) values ('old', 'load', 'old', 'old')")
    query("alter table ops.ledger drop column requests; drop view ops.api_usage; drop table ops.migrations;")
    assert f"brought from version 0 to {OPS_VERSION}" in command()
    assert query("select requests from ops.ledger where load_id = 'old'") == [{"requests": None}]
    assert warehouse().columns("ops.api_usage") is not None
    assert f"is of version {OPS_VERSION} already" in command()
    assert query("select count(*) as n from ops.migrations") == [{"n": 1}]
    query("delete from ops.ledger where load_id = 'old'")


def test_a_newer_version_is_left_as_it_is():
    query(f"insert into ops.migrations (version, migrated_at) values ({OPS_VERSION + 1}, current_timestamp())")
    query("create or replace view ops.api_usage as select 1 as newer")
    assert (
        f"is of version {OPS_VERSION + 1}, newer than this release's {OPS_VERSION}, and was left as it is" in command()
    )
    assert list(warehouse().columns("ops.api_usage") or ()) == ["newer"]
    query("delete from ops.migrations where true")
