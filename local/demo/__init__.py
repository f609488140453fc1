"""The demonstration: history and two daily windows through the DAGs, then what came of it."""
