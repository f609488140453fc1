"""The environment variables that point Airflow, dbt and every Google client at a local stack.

Only variables that these tools and the pipeline's own settings read anyway: nothing in the product asks whether it
runs locally.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import urllib.request
from collections.abc import Mapping

from local.settings import ROOT, LocalSettings

STRIPE_KEY = "sk_test_tributary"
AIRFLOW_USER = "admin"
HUBSPOT_TOKEN = "pat-na1-tributary"  # noqa: S105 - the simulator's, not a secret


def environment(settings: LocalSettings) -> dict[str, str]:
    """Variables for any process that shall talk to the stack that `settings` describes."""
    return {**_pipeline(settings), **_airflow(settings), **past_proxies(settings)}


def past_proxies(settings: LocalSettings) -> dict[str, str]:
    """Variables that keep clients from asking a proxy for the local services; empty where no proxy is set."""
    if not urllib.request.getproxies_environment():
        return {}
    # Which of the two spellings a client reads differs.
    names = {name: os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy")}
    return {name: ",".join(filter(None, [value, settings.host, "localhost"])) for name, value in names.items()}


def sourceable(variables: Mapping[str, str]) -> str:
    """`export` lines for a POSIX shell; values are quoted, so that they survive spaces and JSON."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _pipeline(settings: LocalSettings) -> dict[str, str]:
    google = {"is_anonymous": True, "project": settings.project, "num_retries": 0}
    return {
        "TRIBUTARY_PROJECT": settings.project,
        "TRIBUTARY_LOCATION": settings.location,
        "TRIBUTARY_LAKE_BUCKET": settings.lake_bucket,
        "GOOGLE_CLOUD_PROJECT": settings.project,
        "BIGQUERY_EMULATOR_HOST": settings.bigquery_url,
        "STORAGE_EMULATOR_HOST": settings.gcs_url,
        "DBT_PROFILES_DIR": str(ROOT / "dbt"),
        "DBT_PROJECT_DIR": str(ROOT / "dbt"),
        "DBT_TARGET": "local",
        "DBT_BIGQUERY_ENDPOINT": settings.bigquery_url,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps({"conn_type": "google_cloud_platform", "extra": google}),
        "AIRFLOW_CONN_STRIPE_DEFAULT": json.dumps(
            {"conn_type": "http", "host": settings.stripe_url, "password": STRIPE_KEY}
        ),
        "AIRFLOW_CONN_HUBSPOT_DEFAULT": json.dumps(
            {"conn_type": "http", "host": settings.hubspot_url, "password": HUBSPOT_TOKEN}
        ),
        "AIRFLOW_CONN_PII_DEFAULT": json.dumps({"conn_type": "generic", "password": _pii_key(settings)}),
    }


def _pii_key(settings: LocalSettings) -> str:
    """The key for personal data of this stack; it stays the same for as long as the stack's data does."""
    path = settings.home / "pii.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(32))
        path.chmod(0o600)
    return path.read_text()


def _airflow(settings: LocalSettings) -> dict[str, str]:
    home = settings.airflow_home
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(settings.parallelism),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.airflow_url}/execution/",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": settings.host,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__BASE_URL": settings.airflow_url,
        "AIRFLOW__API__WORKERS": "1",
        # SQLite has one writer at a time; with its default of 5 s a command beside a busy scheduler fails.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        # The simulated world has its own clock: a run for the real yesterday would lie in that world's future.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(settings.schedule),
        # With the default of 1 s a chain of short tasks spends most of its time waiting for the scheduler's next look.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__COSMOS__ENABLE_CACHE": "True",
        # By default in the machine's temporary folder, where another user can't write and another clone must not.
        "AIRFLOW__COSMOS__CACHE_DIR": str(settings.dbt_cache),
        # The default reads every DAG file anew each 30 s. One that changed is read at once all the same.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
