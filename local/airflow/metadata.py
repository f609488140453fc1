"""Airflow's metadata database, and what the pipeline expects in it."""

from __future__ import annotations

import json
from pathlib import Path


def prepare(pools: Path) -> None:
    """Create or upgrade the database; create or update the pools that `pools` lists (`airflow pools import` form)."""
    from airflow.models.pool import Pool
    from airflow.utils import db

    db.initdb()
    if not pools.exists():
        return
    for name, pool in json.loads(pools.read_text()).items():
        Pool.create_or_update_pool(
            name=name,
            slots=pool["slots"],
            description=pool.get("description", ""),
            include_deferred=pool.get("include_deferred", False),
        )
