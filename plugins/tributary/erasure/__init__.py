"""Erasing a person: where records of somebody are, taking them out, and keeping them out. No Airflow."""
