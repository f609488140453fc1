#!/usr/bin/env bash
# Runs on the machine, beside docker-compose.yaml, and changes what runs there.
#
#   deploy.sh release TAG   run the image TAG; if it doesn't pass the smoke run, run the former one again and fail
#   deploy.sh rollback      run the former image
#   deploy.sh start         run what was released last (at boot)
#   deploy.sh smoke         load one small stream through the running Airflow and wait for it
#
# Beside it: `secret`, the name of the secret in Secret Manager that holds .env (without it, .env is kept as it is), and the
# tags that run and ran, `current` and `former`.
set -euo pipefail
cd "$(dirname "$0")"

SMOKE_DAG=${SMOKE_DAG:-ingest_stripe}
SMOKE_CONF=${SMOKE_CONF:-'{"streams": ["products"]}'}
SMOKE_SECONDS=${SMOKE_SECONDS:-900}

say() { echo "deploy: $*" >&2; }

settings() {
  [ -s secret ] || return 0
  (umask 077 && gcloud secrets versions access latest --secret="$(cat secret)" >.env.new) && mv .env.new .env
}

run() { # tag
  say "running $1"
  # `up` returns when init has migrated the metadata and the rest has started; it fails when init does.
  TRIBUTARY_IMAGE_TAG=$1 docker compose pull --quiet &&
    TRIBUTARY_IMAGE_TAG=$1 docker compose up --detach --remove-orphans --no-build
}

airflow() { TRIBUTARY_IMAGE_TAG=$(cat current) docker compose exec -T scheduler airflow "$@"; }

smoke() {
  local run="smoke__$(date -u +%Y%m%dT%H%M%S)" deadline=$((SECONDS + SMOKE_SECONDS))
  until airflow dags trigger "$SMOKE_DAG" --run-id "$run" --conf "$SMOKE_CONF" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || { say "$SMOKE_DAG cannot be triggered"; return 1; }
    sleep 5
  done
  say "waiting for $SMOKE_DAG $run"
  while [ $SECONDS -lt $deadline ]; do
    for state in success failed; do
      if airflow dags list-runs "$SMOKE_DAG" --state "$state" --output plain 2>/dev/null | grep -q -- "$run"; then
        say "$run: $state"
        [ $state = success ]
        return
      fi
    done
    sleep 5
  done
  say "$run did not end within $SMOKE_SECONDS s; is $SMOKE_DAG paused?"
  return 1
}

rollback() {
  [ -s former ] || { say "there is no former release"; return 1; }
  cp former current
  run "$(cat current)"
}

case "${1:-}" in
  release)
    tag=${2:?which tag?}
    settings || exit
    # A release that is repeated keeps its former one: rolling back to itself would be none.
    if [ -s current ] && [ "$(cat current)" != "$tag" ]; then cp current former; fi
    echo "$tag" >current
    if run "$tag" && smoke; then
      say "$tag is released"
    else
      say "$tag failed, rolling back"
      rollback && smoke && say "$(cat current) runs again"
      exit 1
    fi
    ;;
  rollback) settings && rollback && smoke ;;
  start) settings && run "$(cat current)" ;;
  smoke) smoke ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
esac
