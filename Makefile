# Two commands do all the set-up by themselves: `make run` (the main job) and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Without bytecode every start imports for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
export GX_ANALYTICS_ENABLED := false
export DAGSTER_DISABLE_TELEMETRY := yes

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help install run test lint types imports check test-services soak bench notebooks docs lock format clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(READY) ## make .venv from the lock (the others do this by themselves)

# The last line compiles what a run imports, so that the first run is as quick as the others.
# uv, itself from the lock, installs the rest in a fraction of pip's time; pip is there if uv cannot reach an index.
$(READY): requirements.lock pyproject.toml
	@echo "Making .venv from requirements.lock (once; a minute or two) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 run")'
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@$(BIN)/python -W ignore -c 'import pipelines.definitions, great_expectations, altair, vl_convert, nbconvert, nbclient, ipykernel.kernelapp, phonenumbers, sklearn.ensemble, skops.io, sqlalchemy, duckdb'
	@touch $@

run: $(READY) ## the main job on the bundled real shop
	@$(BIN)/retention run --shop uk_gift_shop

test: lint types imports check ## lint, types, import rules, tests

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/pyright

imports: $(READY)
	@$(BIN)/lint-imports

check: $(READY)
	@$(BIN)/pytest -m "not services and not soak" -n 2 --dist loadgroup

test-services: $(READY) .venv/.axe ## tests that need a server, a browser or Java
	@$(BIN)/pytest -m services

# axe-core judges how accessible the pages are; it is published with npm alone. Its checksum is pinned here.
.venv/.axe: $(READY)
	@rm -rf $@
	@npm install --prefix $@ --no-package-lock --no-save --no-audit --no-fund --silent axe-core@4.14.1
	@echo "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c  $@/node_modules/axe-core/axe.min.js" \
	  | sha256sum --check --quiet

soak: $(READY) ## hours of faults
	@$(BIN)/pytest -m soak

bench: $(READY) .venv/.bench ## measure speed and memory against the floor, other libraries beside
	@$(BIN)/pytest tests/benchmarks -p no:randomly --benchmark-disable-gc --benchmark-columns=median,rounds

.venv/.bench: requirements-bench.lock $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.lock
	@touch $@

notebooks: $(READY) ## run all notebooks on the bundled shop and renew the outputs that stand in git
	@$(BIN)/retention run --shop uk_gift_shop --notebooks none
	@$(BIN)/retention notebooks --shop uk_gift_shop --renew

docs: $(READY) ## renew the pages of commands, tables and settings from code
	@$(BIN)/python -m pipelines.reference

lock: $(READY) ## renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-strip-extras --group dev pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-strip-extras --group pyproject.toml:bench --constraint requirements.lock --output-file requirements-bench.lock

format: $(READY)
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

clean: ## remove the lake and everything that was built
	@rm -rf .venv lake build .pytest_cache .ruff_cache .hypothesis .benchmarks
