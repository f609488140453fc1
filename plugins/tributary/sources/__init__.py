"""What is peculiar to each API, one module per source. Nothing here knows Airflow."""

from importlib import import_module
from typing import cast

from tributary.sources.base import Source


def source(name: str) -> Source:
    """The source of that name: `tributary.sources.<name>.SOURCE`."""
    return cast(Source, import_module(f"tributary.sources.{name}").SOURCE)
