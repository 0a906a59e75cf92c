# Everything a person does here. Each target sets up what it needs; the second run is quick.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
MEMBERS := libs/pointsman services/intake services/routing services/sla services/metrics
SOURCES := libs services tests
STAMP := .venv/.installed
BENCH ?= pipeline
TESTS ?=
HISTORIES ?= 2000
PROOFS ?= 10000
# Two processes, each with servers of its own: tests of real servers mostly wait.
SIDE_BY_SIDE := -n 2 --dist loadfile
# Each process compiles the tests, which are half of its collecting, unless the bytecode may be kept.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

help: ## Say what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Make .venv from requirements.lock and install the members.

# Compiled once, since where the environment forbids to write bytecode each process would compile all it imports.
# uv, pinned with hashes in the lock too, installs the rest: pip alone needs ten times as long.
$(STAMP): requirements.lock $(MEMBERS:%=%/pyproject.toml)
	@echo "Setting up .venv from requirements.lock: a few hundred MB from PyPI once, some 15 seconds when they are cached." >&2
	@test -x $(BIN)/python || { echo "  1/4 making .venv with $$($(PYTHON) --version)" >&2; $(PYTHON) -m venv .venv; }
	@awk '/^uv==/{on=1} on&&/^[a-zA-Z]/&&!/^uv==/{exit} on' requirements.lock > .venv/uv.lock
	@echo "  2/4 installing uv, which installs the rest" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@echo "  3/4 installing $$(grep -c '^[a-zA-Z].*==' requirements.lock) packages, PostgreSQL and a broker among them" >&2
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	@echo "  4/4 installing Pointsman itself: $(MEMBERS)" >&2
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@$(BIN)/python -m compileall -q libs services
	@echo "Done: .venv/bin/pointsman --help" >&2
	@touch $@

demo: setup ## Play a support day on the local stack and sum it up (about half a minute).
	@$(BIN)/pointsman demo

up: setup ## Start the local stack and leave it running.
	@$(BIN)/pointsman up --detach

down: setup ## Stop the local stack.
	@$(BIN)/pointsman down

test: setup ## Run the tests on PostgreSQL and the broker tansu. TESTS=path for some.
	@$(PYTEST) $(SIDE_BY_SIDE) $(if $(TESTS),$(TESTS),-m "not long")

test-long: setup ## Run the tests that take ten seconds or more each: every page of the docs, whole stacks, simulations.
	@$(PYTEST) $(SIDE_BY_SIDE) -m long $(TESTS)

test-kafka: setup ## Run the tests that meet a broker on Apache Kafka (needs a JVM 17 and Maven). TESTS=path for some.
	@POINTSMAN_TEST_BROKER=kafka $(PYTEST) $(SIDE_BY_SIDE) $(if $(TESTS),$(TESTS),-m "not long")

upgrade-test: setup ## Run the tests of an older release, FROM=REF, on the schemas that this one makes beside it. TESTS=path for some.
	@$(BIN)/python tests/upgrade/run.py "$(FROM)" $(TESTS)

histories: setup ## Compare the desk and the clocks with their references over HISTORIES random histories, in two processes.
	@for half in 1 2; do POINTSMAN_HISTORIES=$$(($(HISTORIES) / 2)) POINTSMAN_CLOCK_HISTORIES=$$(($(HISTORIES) / 2)) $(BIN)/pytest --no-header -p no:cacheprovider --timeout 1200 \
		tests/unit/routing/test_desk_histories.py tests/unit/sla/test_clock_histories.py tests/unit/sla/test_recompute_histories.py & pids="$$pids $$!"; done; for pid in $$pids; do wait $$pid || exit 1; done

proof: setup ## Recompute the ledgers of PROOFS random tickets from their raw events, step by step.
	@POINTSMAN_PROOFS=$(PROOFS) $(BIN)/pytest --no-header -p no:cacheprovider -n 2 --timeout 3600 \
		tests/unit/sla/test_ledger_against_every_second.py

check: setup ## Lint, format, types, tidiness, generated files, deployment files.
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary $(SOURCES)
	@$(PYTEST) --no-header $(SIDE_BY_SIDE) tests/unit/house tests/contracts
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/hadolint deploy/Dockerfile

bench: setup ## Measure one thing: BENCH=intake, engine, pipeline, …
	@$(BIN)/pointsman bench $(BENCH)

bench-libraries: setup ## Install the libraries that `bench calendar` compares our calendars with.
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.lock

docs: setup ## Write the generated documents: schemas, AsyncAPI, OpenAPI, settings.
	@$(BIN)/python -m pointsman.contracts.generate .
	@$(BIN)/python -m pointsman.edge.reference .

lock: setup ## Pin the newest versions of requirements.in, with hashes, in requirements.lock.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --upgrade requirements.in -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --upgrade --constraint requirements.lock requirements-bench.in -o requirements-bench.lock

.PHONY: help setup demo up down test check test-long test-kafka upgrade-test bench bench-libraries lock docs histories proof
