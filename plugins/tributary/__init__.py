"""Tributary: billing and CRM records into BigQuery, without losing or doubling one.

Modules below `operators`, `sensors`, `triggers` and `hooks` know Airflow; everything else is plain Python.
"""
