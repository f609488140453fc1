"""`python -m local`: the commands behind the Makefile."""

from local.cli import app

app()
