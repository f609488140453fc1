"""Runs dbt as its own process, the way people and the DAG do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local.settings import ROOT, LocalSettings

PROJECT = ROOT / "dbt"

PARSED: dict[tuple[str, str], Path] = {}
"""By endpoint and variables: the parsed project of an earlier command. Parsing takes seven CPU seconds; dbt looks
by itself whether a file or an environment variable has changed since."""


@dataclass(frozen=True)
class DbtRun:
    """What one dbt command did."""

    code: int
    output: str
    target: Path

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.target / "manifest.json").read_text()))

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """Node id -> its result (status, message, failures)."""
        return {r["unique_id"]: r for r in json.loads((self.target / "run_results.json").read_text())["results"]}

    @property
    def period(self) -> tuple[datetime, datetime]:
        """When the command began and ended."""
        metadata = json.loads((self.target / "run_results.json").read_text())["metadata"]
        begun, ended = (datetime.fromisoformat(metadata[key]) for key in ("invocation_started_at", "generated_at"))
        return begun, ended

    def failed(self) -> dict[str, str]:
        """Name of each node that did not end well -> message."""
        bad = {"error", "fail", "warn", "skipped", "runtime error"}
        return {
            id_.split(".", 2)[2].rsplit(".", 1)[0] if id_.startswith("test.") else id_.split(".")[-1]: str(r["message"])
            for id_, r in self.results.items()
            if r["status"] in bad
        }


def run_dbt(
    command: list[str],
    target: Path,
    settings: LocalSettings | None = None,
    environment: Mapping[str, str] | None = None,
    **variables: Any,
) -> DbtRun:
    """Run `dbt <command>` with its output in `target`; `settings` is the stack to talk to, `variables` are dbt's."""
    endpoint = settings.bigquery_url if settings else "http://127.0.0.1:1"
    arguments = [*command, "--profiles-dir", str(PROJECT), "--project-dir", str(PROJECT), "--target-path", str(target)]
    if variables:
        arguments += ["--vars", json.dumps(variables)]
    state, parsed = target / "partial_parse.msgpack", (endpoint, json.dumps(variables, sort_keys=True))
    if parsed in PARSED and not state.exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PARSED[parsed], state)
    process = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "--log-path", str(target / "logs"), *arguments],
        env={
            **os.environ,
            "DBT_TARGET": "local",
            "DBT_BIGQUERY_ENDPOINT": endpoint,
            "DO_NOT_TRACK": "1",
            **(environment or {}),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if state.exists():
        PARSED[parsed] = state
    return DbtRun(process.returncode, process.stdout + process.stderr, target)
