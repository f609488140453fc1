"""Starts the BigQuery emulator (bqemulator 1.4.0) with its measured deviations from BigQuery mended.

Runs in the emulators' own environment: nothing here imports from the rest of the repository. Each module mends one
part, each fix names the deviation it mends, and `tests/local/test_emulator.py` shows every one. Drop a fix when
upstream mends it.
"""
