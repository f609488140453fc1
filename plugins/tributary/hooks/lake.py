"""The lake bucket through the google provider's hook."""

from typing import Any

from airflow.providers.google.cloud.hooks.gcs import GCSHook

from tributary.settings import settings


def lake_bucket() -> Any:
    """The bucket that landing and staged folders lie in."""
    hook = GCSHook(gcp_conn_id=settings().google_conn_id)
    return hook.get_conn().bucket(settings().lake_bucket)
