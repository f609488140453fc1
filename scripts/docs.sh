#!/usr/bin/env bash
# Writes dbt's documentation into a directory, as one page that needs no server: static_index.html. No warehouse is asked:
# the type of every column is in the enforced contracts.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${1:?usage: scripts/docs.sh DIRECTORY}")
options=(--project-dir dbt --profiles-dir dbt --target-path "$target" --log-path "$target/logs")
.venv/bin/dbt --quiet parse "${options[@]}"
.venv/bin/dbt --quiet docs generate --static --empty-catalog --no-compile "${options[@]}"
echo "$target/static_index.html"
