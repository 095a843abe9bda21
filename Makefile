.PHONY: run test lint bench

PYTHON ?= python3
BIN := .venv/bin
# These see no database, and tests/test_architecture.py holds them to it: once is enough.
WITHOUT_DATABASE := tests/labeling/learning tests/labeling/providers
# These bring a SQLite of their own, whatever the environment names.
OWN_DATABASE := tests/test_processes.py tests/labeling/commands/test_start.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

run: .venv/installed
	$(BIN)/python manage.py start

test: .venv/installed-dev
	$(BIN)/python $(COVERAGE) -m pytest -n 2 --dist worksteal -m "not browser" tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -m browser tests
	if [ -n "$$TEST_POSTGRES_URL" ]; then DATABASE_URL=$$TEST_POSTGRES_URL $(BIN)/python -m pytest -n 2 --dist worksteal \
		-m "not browser" $(addprefix --ignore=,$(WITHOUT_DATABASE) $(OWN_DATABASE)) tests; fi

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-dev
	$(BIN)/python benchmarks/bench.py $(BENCH)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	$(INSTALL) -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(INSTALL) -r requirements-dev.txt
	touch $@
