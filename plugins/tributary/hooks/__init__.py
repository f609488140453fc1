"""The Airflow edge: thin, one class per file."""
