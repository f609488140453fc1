# The commands of this repository. Everything they do is in scripts/ and local/.
.DEFAULT_GOAL := help
.SILENT:
MAKEFLAGS += --no-print-directory
SHELL := bash

PYTHON ?=
ARGS ?=
export PYTHON SQL
VENV := .venv/bin
LOCAL := $(VENV)/python -m local

.PHONY: help
help: ## list these targets
	awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## create or update .venv and the emulators' environment from the lock files
	scripts/setup.sh

.PHONY: demo
demo: ## everything from nothing: services, history, two daily windows, the report (`make down` stops the services)
	begun=$$(date +%s); scripts/setup.sh && $(LOCAL) demo --setup-seconds $$(( $$(date +%s) - begun )) $(ARGS)

.PHONY: up
up: setup ## start the local services that don't run yet: emulators, simulators, Airflow
	$(LOCAL) up $(ARGS)

.PHONY: down
down: ## stop what `make up` or `make demo` started, and nothing else
	test ! -x $(VENV)/python || $(LOCAL) down

.PHONY: env
env: setup ## print the environment that points any Airflow, dbt or Google client at the local services
	$(LOCAL) env

.PHONY: airflow
airflow: setup ## run Airflow's command line on the local services: make airflow ARGS="dags test ingest_stripe 2026-01-05"
	$(LOCAL) exec airflow $(ARGS)

.PHONY: backfill
backfill: setup ## load days that are over: make backfill DAG=ingest_stripe FROM=2025-01-01 TO=2025-12-31 [CHUNK=30] [ARGS="--backwards"]
	$(LOCAL) backfill $(DAG) --from $(FROM) --to $(TO) $(if $(CHUNK),--chunk $(CHUNK)) $(ARGS)

.PHONY: replay
replay: setup ## read rejects again from the lake, after the contract was mended: make replay DAG=ingest_stripe [STREAM=invoices] [FROM=2025-01-01 TO=2025-01-31]
	$(LOCAL) replay $(DAG) $(if $(STREAM),--stream $(STREAM)) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(ARGS)

.PHONY: dbt
dbt: setup ## run dbt on the local warehouse: make dbt ARGS="build"
	$(LOCAL) exec dbt $(ARGS)

.PHONY: docs
docs: setup ## write the documentation of every model, column and metric, with lineage, as one page: .local/docs/static_index.html
	scripts/docs.sh .local/docs

.PHONY: query
query: setup ## print a query's rows as CSV, from the warehouse the environment points at: make query SQL="select ..."
	$(LOCAL) query "$$SQL"

.PHONY: check
check: setup ## preflight: credentials, accounts, scopes, datasets, bucket, clock; of the environment's project, else the local stack
	export PYTHONPATH=plugins; if [ -n "$$TRIBUTARY_PROJECT" ]; then $(VENV)/python -m tributary.cli.preflight $(ARGS); \
		else $(LOCAL) exec python -m tributary.cli.preflight $(ARGS); fi

.PHONY: migrate
migrate: setup ## bring the ops tables and views up to this release; of the environment's project, else the local stack
	export PYTHONPATH=plugins; if [ -n "$$TRIBUTARY_PROJECT" ]; then $(VENV)/python -m tributary.cli.migrate; \
		else $(LOCAL) exec python -m tributary.cli.migrate; fi

.PHONY: erase
erase: setup ## what is stored about a person, of the environment's project, else the local stack: make erase CLIENT=acme [EMAIL=...] [ARGS=--yes to erase it]
	export PYTHONPATH=plugins; set -- python -m tributary.cli.erase $(CLIENT) $${EMAIL:+--email "$$EMAIL"} $(ARGS); \
		if [ -n "$$TRIBUTARY_PROJECT" ]; then PATH="$(VENV):$$PATH" "$$@"; else $(LOCAL) exec "$$@"; fi

.PHONY: reset
reset: setup ## stop the local services and delete their data; the environments stay
	$(LOCAL) reset

.PHONY: contracts
contracts: setup ## render what is generated from include/contracts: dbt's sources, docs/data-dictionary
	PYTHONPATH=plugins $(VENV)/python -m tributary.cli.contracts

.PHONY: lint
lint: setup ## every static check: style, types, image, compose file, workflows, secrets
	$(VENV)/pre-commit run --all-files

.PHONY: audit
audit: setup ## look the locked dependencies up among the known vulnerabilities (needs the internet)
	for lock in requirements.txt requirements-image.txt requirements-emulators.txt requirements-dev.txt; do \
		$(VENV)/pip-audit --disable-pip --no-deps --progress-spinner off --requirement $$lock || exit; done

.PHONY: test
test: setup ## run every test: make test ARGS="tests/tributary -k windows"
	$(LOCAL) manifest
	$(VENV)/python -m pytest $(if $(ARGS),$(ARGS),-n 2 --durations 40)

.PHONY: smoke-bigquery
smoke-bigquery: setup ## run a small company through the real BigQuery, in an empty project: make smoke-bigquery PROJECT=my-project
	test -n "$(PROJECT)" || { echo "error: PROJECT is missing: make smoke-bigquery PROJECT=my-empty-project"; exit 2; }
	PYTHONPATH=plugins:. $(VENV)/python scripts/smoke_bigquery.py $(PROJECT) $(if $(LOCATION),--location $(LOCATION)) $(ARGS)

.PHONY: bench
bench: setup ## measure speed, memory and overhead against peers, into .local/bench.json: make bench ARGS="extract --short"
	scripts/bench.sh $(ARGS)

.PHONY: lock
lock: setup ## resolve requirements*.in into the lock files
	scripts/lock.sh
