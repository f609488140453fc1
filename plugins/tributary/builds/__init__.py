"""dbt builds: which partitions to rebuild, what became of each model, the tables of the semantic layer. No Airflow."""
