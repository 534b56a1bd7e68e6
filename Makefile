# Commands for development. `make` alone lists them.
PYTHON ?=
PROFILE ?= io
ARGS ?=
JOBS ?= 3
VENV ?= .venv
export DJANGO_SETTINGS_MODULE ?= project.settings
BIN := $(VENV)/bin
# These need a browser or a container engine, so they run only when they are named.
APART := --ignore=tests/containers --ignore=tasks/examples/tests/browser
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package dutiful --custom-compile-command 'make lock'

.PHONY: help up worker backup restore test lint format setup dev lock clean

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

up: setup ## the whole deployment on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m dutiful.dev.up

worker: setup ## one worker in the foreground, for breakpoint(): PROFILE=io POOL=solo
	@exec $(BIN)/python -m dutiful.dev.up.foreground --profile $(PROFILE) $(if $(POOL),-P $(POOL)) $(ARGS)

backup: setup ## broker and database as they are now, into var/backups: FOLDER=
	@$(BIN)/python -m dutiful.dev.backup.command backup $(FOLDER)

restore: setup ## bring a copy back while `make up` does not run: FROM=var/backups/...
	@$(BIN)/python -m dutiful.dev.backup.command restore $(FROM)

test: dev ## this project's tests, then the pack's; ARGS="tasks -k pay" for a part
	@failed=0; $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(APART) $(ARGS) || failed=1; \
	if [ -z "$(ARGS)" ] && [ -d pack ]; then \
		$(MAKE) --no-print-directory -C pack test JOBS=$(JOBS) VENV=$(abspath $(VENV)) || failed=1; \
	fi; exit $$failed

lint: dev ## style, types, import directions, system checks, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py check --fail-level WARNING
	@DATABASE_URL=sqlite:///:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	@[ ! -d pack ] || $(MAKE) --no-print-directory -C pack lint VENV=$(abspath $(VENV))

format: dev ## fix what ruff can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

setup: ## .venv and requirements.txt; PYTHON=python3.12 chooses
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh project/setup.sh requirements.txt

dev:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh project/setup.sh requirements.txt requirements-dev.txt

lock: dev # compiles both locks again from pyproject.toml
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## remove .venv, var/ (data, mails, broker, backups) and caches
	@rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# For this repository alone: `make template` leaves out the rest of this file.
.PHONY: drill drills bench template

drill: setup ## stock Celery and this deployment through the same bad day
	@exec $(BIN)/python manage.py drill crash --quick $(ARGS)

drills: setup ## every drill, in full: an hour or so; ARGS=--markdown for docs/tips.md
	@exec $(BIN)/python manage.py drill all $(ARGS)

bench: dev ## stock Celery, ours and four others, how fast: ARGS="publish latency --json"
	@$(MAKE) --no-print-directory -C pack bench VENV=$(abspath $(VENV)) ARGS="$(ARGS)"

template: dev # a project of your own, without pack/: NAME=shop TO=../shop [EXAMPLES=0] [FROM_INDEX=1]
	@$(BIN)/python -m dutiful.dev.template --name "$(NAME)" --to "$(TO)" $(if $(filter 0,$(EXAMPLES)),--no-examples) $(if $(filter 1,$(FROM_INDEX)),--from-index)
