"""The dbt manifest that the DAGs are rendered from, written again whenever the dbt project has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from local.errors import LocalStackError
from local.settings import ROOT

PROJECT = ROOT / "dbt"
PARTS = ("models", "macros", "seeds", "snapshots", "tests", "analyses")
MANIFEST = PROJECT / "target" / "manifest.json"
STAMP = PROJECT / "target" / "manifest.stamp"


def refresh() -> bool:
    """Run `dbt parse` unless the manifest belongs to the project as it is. Returns whether it ran. No warehouse."""
    checksum = _checksum()
    if MANIFEST.exists() and STAMP.exists() and STAMP.read_text() == checksum:
        return False
    dbt = Path(sys.executable).parent / "dbt"
    outcome = subprocess.run(
        [str(dbt), "--quiet", "parse", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode or not MANIFEST.exists():
        raise LocalStackError(f"dbt parse failed:\n{outcome.stdout}{outcome.stderr}")
    STAMP.write_text(checksum)
    return True


def _checksum() -> str:
    # Another dbt writes another manifest: its version is in the lock file.
    files = [PROJECT / "dbt_project.yml", PROJECT / "profiles.yml", ROOT / "requirements.txt"]
    for part in PARTS:
        files += sorted(path for path in (PROJECT / part).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
