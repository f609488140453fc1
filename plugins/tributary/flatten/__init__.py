"""Flattening: landed records into typed rows per table, with rejects and drift set aside."""
