"""The semantic layer: saved queries of the dbt project as tables."""
