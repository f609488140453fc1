"""`python -m include.local`: the commands behind the Makefile."""

from include.local.cli import app

app()
