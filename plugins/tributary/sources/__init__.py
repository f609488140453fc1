"""Holds one module per source with what is specific to its API. Nothing here knows Airflow."""

from importlib import import_module
from typing import cast

from tributary.sources.base import Source


def source(name: str) -> Source:
    """The source of that name: `tributary.sources.<name>.SOURCE`."""
    return cast(Source, import_module(f"tributary.sources.{name}").SOURCE)
