#!/usr/bin/env bash
# Creates the peers' environment, .local/benchmarks, and runs the benchmarks; arguments go to `python -m benchmarks`.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .local/tools/bin/uv)
if [ "$(cat .local/benchmarks/lock 2>/dev/null)" != "$(cksum <requirements-benchmarks.txt)" ]; then
  echo "Setup: .local/benchmarks" >&2
  "$uv" venv --quiet --allow-existing --python .venv/bin/python .local/benchmarks
  "$uv" pip sync --quiet --python .local/benchmarks/bin/python requirements-benchmarks.txt
  cksum <requirements-benchmarks.txt >.local/benchmarks/lock
fi
.venv/bin/python -m local manifest >/dev/null
exec .venv/bin/python -m benchmarks "$@"
