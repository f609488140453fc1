"""AIRFLOW_HOME of the local stack: secrets that its processes share, the login, and settings for the emulators."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
from pathlib import Path

from local.environment import AIRFLOW_USER

LOCAL_SETTINGS = Path(__file__).parent / "airflow_local_settings.py"


def prepare(home: Path) -> None:
    """Write what is missing. What exists is kept, so that sessions and tokens survive a restart."""
    (home / "config").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(LOCAL_SETTINGS, home / "config" / LOCAL_SETTINGS.name)
    configuration = home / "airflow.cfg"
    if not configuration.exists():
        # All else comes from environment variables. Without these each process would draw its own.
        _write_secretly(
            configuration,
            f"[core]\nfernet_key = {base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
            f"[api]\nsecret_key = {secrets.token_hex(32)}\n"
            f"[api_auth]\njwt_secret = {secrets.token_hex(32)}\n",
        )
    if not (home / "passwords.json").exists():
        _write_secretly(home / "passwords.json", json.dumps({AIRFLOW_USER: secrets.token_urlsafe(12)}) + "\n")


def password(home: Path) -> str:
    """The generated password of the user `admin`. Raises FileNotFoundError before the first start."""
    return str(json.loads((home / "passwords.json").read_text())[AIRFLOW_USER])


def _write_secretly(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
