"""Imports modules before forking, so that no child has to."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

CORE = (
    "airflow.__main__",
    "airflow.cli.commands.api_server_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.triggerer_command",
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
)
"""What all components need."""

TASKS = (
    "airflow.providers.google.cloud.hooks.bigquery",
    "airflow.providers.google.cloud.hooks.gcs",
    "airflow.providers.http.hooks.http",
    "cosmos.airflow.task_group",
    "cosmos.operators.local",
    "dbt.cli.main",
    "dbt.adapters.bigquery",
    "pydantic_settings",
)
"""What tasks need; nothing of this repository, which would then not notice that it was edited."""


def core() -> None:
    """Import what all components need."""
    for name in CORE:
        importlib.import_module(name)


def tasks() -> None:
    """Import what tasks need."""
    for name in TASKS:
        importlib.import_module(name)


def dbt_codecs(target: Path) -> None:
    """Have dbt generate the code that reads and writes its manifests, by reading and writing the one in `target`.

    It generates that code at first use, which is a third of what each dbt task costs otherwise.
    """
    from dbt.artifacts.schemas.manifest import WritableManifest
    from dbt.contracts.graph.manifest import Manifest

    partial, written = target / "partial_parse.msgpack", target / "manifest.json"
    if partial.exists() and written.exists():
        Manifest.from_msgpack(partial.read_bytes()).to_msgpack()
        WritableManifest.from_dict(json.loads(written.read_text())).to_dict(omit_none=False)
