"""Before the first run: is everything there that the pipeline needs, and if not, what to do."""
