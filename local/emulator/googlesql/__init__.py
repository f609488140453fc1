"""Judges every statement by GoogleSQL, BigQuery's own analyzer, before the emulator runs it.

`service.py` runs the analyzer, `catalog.py` tells it the tables, `script.py` takes scripts apart, `resolved.py` reads
its answers, `judge.py` asks about a job and remembers what passed. What the analyzer doesn't know of BigQuery is in
`gaps.py` (functions that the open version lacks) and `limits.py` (BigQuery's documented limits).
"""
