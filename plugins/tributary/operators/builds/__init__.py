"""Operators that plan, run and record a dbt build."""
