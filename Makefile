# Everything runs in .venv, which `make setup` builds from pinned, hashed packages.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test browser lint bench up chaos fuzz soak
.DEFAULT_GOAL := help

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv, once

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Lockstep needs Python 3.11 or newer; none was found as python3" >&2; exit 2; }
	@test -x $(BIN)/python || { rm -rf .venv; $(PYTHON) -m venv .venv; }
	@echo "Installing pinned packages into .venv; the first time takes a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## a merchant's day against real servers; DEMO_STAY=1 keeps it running
	@$(BIN)/lockstep demo

test: setup ## every test that needs no Docker: those with servers one after the other, the others beside them
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

browser: setup ## the board in a real Chromium (Debian: chromium, chromium-driver)
	@$(BIN)/python -m pytest -m browser tests/browser --timeout 120

lint: setup ## style, types, schemas
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lockstep schemas check

bench: setup ## the engine beside its peers, then raw events to rows
	@$(BIN)/lockstep bench engine
	@$(BIN)/lockstep bench pipeline

up: setup ## everything on this machine, by ./lockstep.yaml
	@$(BIN)/lockstep up

chaos: setup ## every fault on real servers, then 20,000 seeds: about an hour
	@$(BIN)/python -m ops.chaos.run
	@$(BIN)/python -m pytest -m chaos --ignore tests/chaos --timeout 3600

fuzz: setup ## a million hostile bodies, then the property tests with many more examples
	@$(BIN)/python -m tests.fuzz.run --bodies 1000000
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/property --ignore tests/property/simulation --timeout 3600

soak: setup ## 20 minutes at full rate (SOAK_MINUTES), with plots in soak-results
	@$(BIN)/lockstep bench soak --minutes $${SOAK_MINUTES:-20}
