"""Contracts: one YAML file per stream, the only place where a column is declared."""
