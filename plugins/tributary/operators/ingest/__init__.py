"""Operators of a stream, from the API to its raw table, in the order of the way."""
