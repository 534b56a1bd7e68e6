# Everything a developer types. `make` alone lists it.
PYTHON ?= python3
PROFILE ?= io
ARGS ?=
JOBS ?= 3
VENV ?= .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url

.PHONY: help up worker drill test lint format setup dev lock clean

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

up: setup ## the whole deployment on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m project.up

worker: setup ## one worker in the foreground, for breakpoint(): PROFILE=io POOL=solo
	@exec $(BIN)/python -m project.up.foreground --profile $(PROFILE) $(if $(POOL),-P $(POOL)) $(ARGS)

drill: setup ## stock Celery and this deployment through the same bad day
	@exec $(BIN)/python manage.py drill crowd --quick $(ARGS)

test: dev ## unit and integration tests: ARGS="-k beat"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --ignore=tests/containers --ignore=tests/browser --ignore=tests/benchmarks $(ARGS)

lint: dev ## style, types, import directions, system checks, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py check
	@DATABASE_URL=sqlite:///:memory: $(BIN)/python manage.py makemigrations --check --dry-run

format: dev ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

setup: ## .venv and requirements.txt; PYTHON=python3.12 chooses
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh project/up/setup.sh requirements.txt

dev:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh project/up/setup.sh requirements.txt requirements-dev.txt

lock: dev ## compile both locks again from pyproject.toml
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## forget .venv, var/ (data, mails, broker) and caches
	@rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
