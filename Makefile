# The commands of this repository; `make` lists them, `.ci/run` calls the same ones.
# They use the activated virtual environment, else `.venv`, which `make setup` makes.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ifndef VIRTUAL_ENV
export PATH := $(CURDIR)/.venv/bin:$(PATH)
endif

.PHONY: help
help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup:  ## make .venv, if there is none, and install everything for development into it
	test -d .venv || python3 -m venv .venv
	.venv/bin/pip install --quiet -r requirements-dev.txt

.PHONY: run
run:  ## the complete demo on http://localhost:8501
	streamlit run app.py

.PHONY: worker
worker:  ## dispatcher and workers of one machine (needs REDIS_URL)
	python worker.py

.PHONY: stack
stack:  ## a whole installation on this machine: nginx, two web processes, workers, PostgreSQL, Valkey, SeaweedFS
	python -m tools.stack
.PHONY: migrate
migrate:  ## bring the schema of the database to this version's
	python -m core.admin migrate

.PHONY: test
test:  ## the quick tests
	pytest

# Money and the moves of a generation: no line and no branch of these is left to chance by the tests that are theirs.
# Only these run under watch: all of them would take 40 minutes of a processor instead of 28. `make coverage` does it.
PROVED := core.billing core.generations.lifecycle core.generations.settlement core.generations.state_machine
PROOFS := $(addprefix tests/services/test_,api_tokens.py approval_flow.py approvals.py batches.py claims.py closing.py \
	delivery.py job_notices.py ledger.py lifecycle.py removed_provider.py spending.py statement.py submit.py tasks.py \
	token_caps.py) $(addprefix tests/unit/test_,margins.py price_list.py quote.py state_machine.py) \
	tests/api/test_models.py

# Databases, processes, Chromium and deadlines share a machine: what fails in a crowd is asked once more, alone and out
# loud, and what then fails has failed. `pytest -ra` names both. Proofs are asked once.
again = { echo "== not everything passed; what failed is run once more, alone"; \
	pytest -n 0 --last-failed --last-failed-no-failures none $(1); }

.PHONY: test-all
test-all: export HYPOTHESIS_PROFILE ?= ci
test-all:  ## all tests but those in a browser, on both databases and with processes; no line of PROVED is left out
	pytest $(addprefix --cov=,$(PROVED)) --cov-report= $(PROOFS)
	coverage report --show-missing --skip-covered --fail-under 100
	pytest $(addprefix --ignore ,$(PROOFS) tests/system tests/many tests/browser tests/soak tests/image) tests || $(call again,tests)
	pytest -n 4 tests/system || $(call again,tests/system)

.PHONY: browser
browser:  ## the tests that need Chromium
	pytest -n 2 --dist loadfile tests/browser || $(call again,tests/browser)

.PHONY: many
many:  ## the stack while its parts are killed, stopped and set wrong: what became of every clip is counted
	pytest -n 0 tests/many || $(call again,tests/many)

.PHONY: soak
soak:  ## hundreds of clips, calm and under kills, on both databases: for nights (SOAK_CLIPS=1500)
	HYPOTHESIS_PROFILE=nightly pytest -n 0 tests/soak
	HYPOTHESIS_PROFILE=nightly pytest tests/unit tests/services tests/providers

.PHONY: coverage
coverage:  ## which lines and branches the quick tests do not reach
	pytest --cov --cov-report=term-missing:skip-covered

.PHONY: lint
lint:  ## format, lint and spelling; changes nothing
	ruff format --check .
	ruff check .
	codespell $$(git ls-files)

.PHONY: format
format:  ## format, and mend what can be mended without asking
	ruff format .
	ruff check --fix .

.PHONY: types
types:  ## types, strictly
	mypy

.PHONY: layers
layers:  ## who may import whom
	lint-imports

.PHONY: catalogues
catalogues:  ## bring the translation files up to date with the texts
	python -m tools.catalogues

.PHONY: docs
docs:  ## write the generated pages of docs/reference, and the dashboard
	python -m tools.reference_docs
	python -m tools.dashboards

.PHONY: docs-check
docs-check:  ## fail when a generated page of docs/reference is stale
	python -m tools.reference_docs --check
	python -m tools.dashboards --check

.PHONY: requirements
requirements:  ## compile requirements/ anew, with the newest versions that pyproject.toml allows
	.ci/compile

.PHONY: requirements-check
requirements-check:  ## fail when requirements/ does not match pyproject.toml
	.ci/compile --check

.PHONY: package
package:  ## prove that an editable install works in a fresh virtual environment
	.ci/package

.PHONY: image
image:  ## build the image without a container engine and start every role of it (root, apt, Linux; takes minutes)
	.ci/image

.PHONY: bench
bench:  ## what the API's busiest calls cost; `python -m benchmarks.NAME` has the others
	python -m benchmarks.api
