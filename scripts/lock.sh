#!/usr/bin/env bash
# Resolves requirements*.in into the lock files, for Python 3.11. Pass `--upgrade` to move to newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .local/tools/bin/uv)
lock() { "$uv" pip compile --quiet --no-header --no-annotate --python-version 3.11 "$@"; }
lock requirements.in -o requirements.txt "$@"
lock requirements-image.in -o requirements-image.txt "$@"
lock requirements-dev.in -o requirements-dev.txt "$@"
lock requirements-emulators.in -o requirements-emulators.txt "$@"
lock requirements-benchmarks.in -o requirements-benchmarks.txt "$@"
