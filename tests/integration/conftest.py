"""An Airflow that runs nothing by itself, for `airflow dags test` against emulators and simulators."""

import pytest

from tests.support.airflow import airflow_cli


@pytest.fixture(scope="session")
def alone(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a database and no scheduler, which would take the tasks of a test run."""
    home = tmp_path_factory.mktemp("alone")
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }
    airflow_cli(environment, "db", "migrate")
    return environment
