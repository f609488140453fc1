"""Does what a block of a runbook says, and holds what comes of it against what the page promises."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.runbooks import Block
from tests.support.airflow import Airflow
from tests.support.pipeline import query


def follow(block: Block, text: str, where: str, stack: Airflow, **variables: str) -> None:
    """Run the block, as `text`, on the stack; blocks for production are left out."""
    if block.place == "production":
        return
    if block.language == "sql":
        rows = query(text)
        assert block.rows is None or bool(rows) == block.rows, f"{where}: {block.promise}\n{rows}"
        return
    environment = {**os.environ, **stack.environment, **variables}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = ["bash", "-eo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert (done.returncode != 0) == block.fails, f"{where}: {text}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
