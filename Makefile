# The two commands are `make up` and `make test`; `make help` lists the rest. Longer logic lives in deploy/.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

AnyPython := sh deploy/tools/python.sh
Python := .venv/bin/python
Pytest := PATH="$(CURDIR)/.venv/bin:$$PATH" $(Python) -m pytest

# More arguments for pytest, for example: make test ARGS="-k gateway"
ARGS ?=
PG15 ?= tests/integration

##@ Run

.PHONY: up
up: ## start the product; FORM=native or FORM=compose forces a form, AGENT_PORT and the like move a port
	@$(AnyPython) deploy/up.py up

.PHONY: down
down: ## stop it; the data is kept
	@$(AnyPython) deploy/up.py down

.PHONY: status
status: ## what runs, and where
	@$(AnyPython) deploy/up.py status

.PHONY: logs
logs: ## the services' logs; followed on a terminal until Ctrl-C
	@$(AnyPython) deploy/up.py logs

##@ Test

.PHONY: test
test: ready-tests ## install what the tests need, then run them all; what the machine lacks is skipped by name
	@$(Pytest) $(ARGS)

.PHONY: check
check: ready ## format, lint, types, import borders, declared requirements, unit tests (ARGS=--static without them)
	@$(Python) deploy/tools/check.py $(ARGS)

.PHONY: test-pg15
test-pg15: ready ## the tests that touch SQL, on PostgreSQL 15 where it is installed; PG15 names fewer folders
	@AXONFLOW_TEST_POSTGRES=15 $(Pytest) $(PG15) $(ARGS)

.PHONY: test-compose
test-compose: ready-tests ## the compose form on a container engine, which is started for it where that is possible
	@$(Python) deploy/tools/test_compose.py

.PHONY: test-frameworks
test-frameworks: ready-tests ## LangGraph, CrewAI, litellm and the Rust SDK as their users run them; installs over a gigabyte
	@$(AnyPython) deploy/tools/prepare.py frameworks
	@$(Pytest) tests/contract/frameworks tests/contract/rust $(ARGS)

.PHONY: policy-lint
policy-lint: ready ## policies that cannot do what they were meant to; ARGS="--policies FILE" for your own
	@.venv/bin/axonflow-policy lint $(ARGS)

.PHONY: fuzz
fuzz: ready ## the engine against a slow and obvious one (AXONFLOW_FUZZ_CASES of them), then properties with long budgets
	@PYTHONPATH=tests $(Python) -m fuzz $(ARGS)
	@AXONFLOW_FUZZ_EXAMPLES=$${AXONFLOW_FUZZ_EXAMPLES:-20000} $(Pytest) tests/fuzz --timeout 3600

.PHONY: bench
bench: ready ## requests per second and CPU per request against a bare forwarder, and the scan against Python re; ARGS=--short
	@PYTHONPATH=tests $(Python) -m bench $(ARGS)

##@ Work on it

.PHONY: ready
ready: ## make .venv from the hashed lock; a no-op when it is up to date
	@$(AnyPython) deploy/tools/prepare.py

.PHONY: ready-tests
ready-tests: ## ready, and the SDKs that the contract tests use unmodified
	@$(AnyPython) deploy/tools/prepare.py tests

.PHONY: format
format: ready ## rewrite the code in the house's form
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix --quiet .

.PHONY: lint
lint: ready ## format and lint checks alone
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .

.PHONY: lock
lock: ready ## resolve the hashed locks again after a change of requirements; ARGS=--upgrade takes newer releases
	@$(Python) requirements/lock.py $(ARGS)

.PHONY: docs
docs: ready ## write docs/settings.md from the structs that read the environment, docs/detection.md from the policy cases
	@$(Python) docs/write_settings.py
	@$(Python) docs/write_detection.py

.PHONY: clean
clean: ## remove .venv, the SDKs and caches; the data stays where it is
	@$(AnyPython) deploy/tools/clean.py

##@ Help

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## "; print "AxonFlow: make TARGET" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z][a-z0-9-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
