"""Makes all of the Google provider's ways to BigQuery honour BIGQUERY_EMULATOR_HOST, and SQLite wait. Local stack only.

`BigQueryHook.get_client()` honours it already. Three other ways don't, each used by some operators and sensors:
the asynchronous client of triggers, the discovery client of the check operators, and the listing of partitions, which
the emulator lacks. Airflow imports this file at every start, so each patch waits until its module is imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

EMULATOR = os.environ.get("BIGQUERY_EMULATOR_HOST", "").rstrip("/")
URL = EMULATOR if "://" in EMULATOR else f"http://{EMULATOR}"


def asynchronous_client(module: ModuleType) -> None:
    """`gcloud-aio` puts `http://` before BIGQUERY_EMULATOR_HOST, where other clients want it in there."""
    original = module.init_api_root

    def init_api_root(api_root: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return original(api_root, *args, **kwargs) if api_root else (True, f"{URL}/bigquery/v2")

    module.init_api_root = init_api_root  # type: ignore[attr-defined]


def hook(module: ModuleType) -> None:
    """The check operators' discovery client ignores the variable; the emulator doesn't list partitions."""
    original = module.build

    def build(name: str, version: str, **kwargs: Any) -> Any:
        if name == "bigquery":
            from google.api_core.client_options import ClientOptions

            kwargs["client_options"] = ClientOptions(api_endpoint=f"{URL}/bigquery/v2/")
            kwargs["static_discovery"] = True
        return original(name, version, **kwargs)

    def table_partition_exists(
        self: Any, dataset_id: str, table_id: str, partition_id: str, project_id: str | None = None
    ) -> bool:
        client = self.get_client(project_id=project_id)
        partitions = f"`{client.project}.{dataset_id}.INFORMATION_SCHEMA.PARTITIONS`"
        sql = f"select 1 from {partitions} where table_name = '{table_id}' and partition_id = '{partition_id}'"  # noqa: S608
        return len(list(client.query(sql, job_retry=None).result())) > 0

    module.build = build  # type: ignore[attr-defined]
    module.BigQueryHook.table_partition_exists = table_partition_exists


PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "gcloud.aio.bigquery.bigquery": asynchronous_client,
    "airflow.providers.google.cloud.hooks.bigquery": hook,
}


class _PatchAfterImport(importlib.abc.MetaPathFinder):
    """Finds the modules in PATCHES as anyone would, and patches each right after it was executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        patch = PATCHES.get(name)
        if patch is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_patch(module: ModuleType) -> None:
            execute(module)
            patch(module)

        spec.loader.exec_module = execute_and_patch  # type: ignore[method-assign]
        return spec


def take_the_write_lock_before_a_savepoint() -> None:
    """Let `airflow backfill create` wait its turn beside a busy scheduler.

    It reads inside a savepoint and then writes. SQLite refuses that at once when somebody else has written in between,
    whatever the timeout: what was read is no longer the latest. With the write lock taken first, it waits.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Connection, Engine

    def begin(connection: Connection, name: str | None) -> None:
        driver = connection.connection.dbapi_connection
        if connection.dialect.name == "sqlite" and driver is not None and not getattr(driver, "in_transaction", True):
            driver.cursor().execute("BEGIN IMMEDIATE")

    event.listen(Engine, "savepoint", begin)


take_the_write_lock_before_a_savepoint()
if EMULATOR:
    sys.meta_path.insert(0, _PatchAfterImport())
