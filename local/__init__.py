"""The local stack: everything the pipeline talks to, on one machine and without a cloud account.

Nothing under `dags/`, `plugins/` or `dbt/` imports from here. What points the pipeline at this stack is its
environment (`local.environment`), the same variables that point it at a real project.
"""
