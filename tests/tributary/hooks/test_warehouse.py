"""Whom the warehouse's hook acts as."""

import json

import pytest

from tributary.hooks.warehouse import WarehouseHook

INGEST, DBT = "ingest@example.iam.gserviceaccount.com", "dbt@example.iam.gserviceaccount.com"


def test_an_account_goes_before_that_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marts are written as dbt; what writes raw may not touch them."""
    connection = {"conn_type": "google_cloud_platform", "extra": {"impersonation_chain": INGEST}}
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", json.dumps(connection))
    assert WarehouseHook(DBT).impersonation_chain == DBT
    # None leaves it to the connection.
    assert WarehouseHook("").impersonation_chain is None
