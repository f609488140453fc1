"""Airflow as the local stack runs it: all components forked from one warmed-up process."""
