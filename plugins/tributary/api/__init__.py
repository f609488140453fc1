"""Talking to a source's HTTP API: budget, retries, and answers that say what went wrong."""
