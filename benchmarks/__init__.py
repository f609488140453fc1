"""Benchmarks: this project beside its peers, on identical input, with the outputs compared. `python -m benchmarks`."""
