"""Builds the parts of DAG files: the lanes of a source, the task groups of dbt, the fields of trigger forms."""
