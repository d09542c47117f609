# `make run` and `make test` are all that a newcomer needs: each makes the virtual environment, installs the locked
# dependencies by hash, and does its job. Needs Python 3.11 or newer and make; never needs root.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8700
TESTS ?= tests
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: run test test-long check bench audit pictures lock clean

run: .venv/.run
	@$(BIN)/piying demo --port $(PORT)

test: .venv/.dev tests/flow/clients/node_modules
	@$(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

test-long: .venv/.dev tests/flow/clients/node_modules
	@LONG_TESTS=1 $(BIN)/python -m pytest -n auto --dist worksteal tests

check: .venv/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.dev
	@$(BIN)/python -m tests.benchmarks

# Neighbouring data through every report's plan, 20,000 draws each, against what was charged; and the coverage of printed margins.
audit: .venv/.dev
	@$(BIN)/python -m tests.audit
	@LONG_TESTS=1 $(BIN)/python -m pytest -q tests/unit/analytics/reports/test_diagnose.py tests/properties/test_audit.py

# The README's pictures, taken in Debian's chromium from a small demonstration. Takes about three minutes.
pictures: .venv/.dev
	@$(BIN)/python -m tests.browser.pictures

lock:
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev $(LOCK) -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra build $(LOCK) -c requirements-dev.lock -o requirements.lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Piying needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing the locked dependencies into .venv (once) …"
	@test -e .venv/.dev || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing the locked dependencies and test tools into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The Node and browser clients that tests drive. Where they cannot be had, their tests say so and are skipped.
tests/flow/clients/node_modules: tests/flow/clients/package-lock.json
	@command -v npm >/dev/null && npm install --prefix $(@D) --no-save --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@ || echo "The Node clients could not be installed; their tests will be skipped."

clean:
	rm -rf tests/flow/clients/node_modules .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
