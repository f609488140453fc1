"""What DAG files are put together from: the lanes of a source, the task groups of dbt, the fields of trigger forms."""
