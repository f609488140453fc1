"""Several accounts in one DAG: mapped, none holds the others back. By `airflow dags test`, without a scheduler."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.airflow import airflow_cli
from tests.support.pipeline import empty, query
from tests.support.world import World
from tributary.settings import settings

pytestmark = [pytest.mark.emulators, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def alone(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a database and nothing that runs."""
    home = tmp_path_factory.mktemp("alone")
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }
    airflow_cli(environment, "db", "migrate")
    return environment


def clients_file(folder: Path, **other: Any) -> str:
    """The demo's clients and, before its own, another one of Stripe."""
    declared = yaml.safe_load(settings().clients_path.read_text())
    declared["stripe"].insert(0, {**declared["stripe"][0], **other})
    file = folder / "clients.yml"
    file.write_text(yaml.safe_dump(declared))
    return str(file)


def test_one_client_with_a_broken_key_holds_nobody_back(alone: dict[str, str], world: World, tmp_path: Path) -> None:
    empty("stripe_products")
    file = clients_file(tmp_path, client_id="broken", account="acct_of_somebody_else")
    environment = {**alone, "TRIBUTARY_CLIENTS_FILE": file}
    day, conf = (
        "2025-01-08T12:00:00",
        '{"streams": ["products"], "window_start": "2024-07-01", "window_end": "2026-01-04"}',
    )
    text = airflow_cli(environment, "dags", "test", "ingest_stripe", day, "--conf", conf, fails=True)
    assert "leads to Stripe account acct_tributary, but client broken is pinned to acct_of_somebody_else" in text
    assert "stripe.products: 1 of 2 chunks were not staged: broken 2024-07-01..2026-01-04" in text
    rows = query("select client_id, count(*) as n from raw.stripe_products group by client_id")
    assert [row["client_id"] for row in rows] == ["acme"]
    assert rows[0]["n"] == len([entry for entry in world.books("stripe", "products") if not entry["deleted_at"]])
