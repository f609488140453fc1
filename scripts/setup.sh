#!/usr/bin/env bash
# Creates the two environments: .venv (the project and what developing it needs) and .local/emulators (the BigQuery and
# GCS emulators, whose dependencies don't agree with Airflow's), and has dbt parse its project. Needs Python 3.11; does
# nothing when both are as the lock files say. Prints to stderr only, so that `make env` stays sourceable.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 1>&2

locks=(requirements.txt requirements-dev.txt requirements-emulators.txt scripts/setup.sh)
stamp=.local/setup.stamp
wanted=$(cat "${locks[@]}" | cksum)
if [ -x .venv/bin/python ] && [ -x .local/emulators/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi

python=
for candidate in "${PYTHON:-}" python3.11 python3 python; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    python=$("$candidate" -c 'import sys; print(sys.executable)')
    break
  fi
done
if [ -z "$python" ]; then
  echo "error: Python 3.11 is needed and was not found. Install it, or name it: make PYTHON=/path/to/python3.11 ..."
  exit 1
fi

mkdir -p .local
uv=$(command -v uv || true)
if [ -z "$uv" ] || ! "$uv" --version >/dev/null 2>&1; then
  uv=.local/tools/bin/uv
  if [ ! -x "$uv" ]; then
    echo "Setup: uv (the installer) into .local/tools"
    "$python" -m venv .local/tools
    .local/tools/bin/python -m pip install --quiet --disable-pip-version-check uv
  fi
fi

install() { # directory, lock files...
  local directory=$1
  shift
  "$uv" venv --quiet --allow-existing --python "$python" "$directory"
  "$uv" pip sync --quiet --python "$directory/bin/python" "$@"
}

# Packages that come along as dependencies, thousands of modules, and that nothing here imports: compiled on demand, if
# ever. Compiling them too would double the time of the whole setup.
google='ads|analytics|genai|cloud/(aiplatform|automl|bigtable|compute|dataflow|dataplex|datacatalog|kms|logging|monitoring|orchestration|resourcemanager|run|spanner|speech|videointelligence|vision)'
unused="/tests?/|/site-packages/(ray|litellm|openai|scipy|sklearn|google/($google))"

# Without bytecode every Airflow process compiles what it imports, which takes longer than the imports themselves, and
# where PYTHONDONTWRITEBYTECODE is set it does so every time.
compile() { # directory
  env -u PYTHONDONTWRITEBYTECODE "$1/bin/python" -W ignore -m compileall -q -j 0 -x "$unused" "$1"/lib/python3.11/site-packages >/dev/null || true
}

echo "Setup: .venv and .local/emulators (a minute or two the first time)"
rm -f "$stamp"
# The SQL analyzer is WebAssembly: its machine code is made once, here, instead of at the first statement.
{ install .local/emulators requirements-emulators.txt && .local/emulators/bin/python -m local.emulator.googlesql.service; } &
emulators=$!
install .venv requirements.txt requirements-dev.txt
wait "$emulators"
echo "Setup: bytecode"
compile .local/emulators
compile .venv
printf '%s' "$wanted" >"$stamp"
# What the DAGs are rendered from. Written anew whenever the dbt project has changed, by each command that needs it: a project
# that doesn't parse is no reason to have no environment.
echo "Setup: dbt's manifest"
.venv/bin/python -m local manifest || echo "warning: dbt could not parse the project, for the reason above"
echo "Setup: done after ${SECONDS} s"
