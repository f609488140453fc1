"""The commands: `python -m tributary.cli.<name> --help`."""
