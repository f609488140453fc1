"""A stack of its own with a real Airflow: the runbooks break it."""

from tests.e2e.conftest import airflow, company

__all__ = ["airflow", "company"]
