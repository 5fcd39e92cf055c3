# Two commands: `make demo` and `make test`. Each makes .venv by itself, with uv where there is one, otherwise with pip.
# PORT=9000 make demo serves elsewhere; PYTHON=python3.13 chooses the interpreter of .venv.

PORT ?= 8000
HISTORIES ?= 20000
SEED ?= 0
WORKERS ?= auto
POSTGRES_URL ?= postgres://root@127.0.0.1:5432/postgres
CHROMIUM ?= /usr/bin/chromium
BIN := .venv/bin
find_python = for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$candidate"; break; }; done

.PHONY: help demo test test-postgres test-slow test-hosts test-crashes test-orders test-laws test-browser test-mutants test-api-fuzz test-client test-matrix test-installed test-stripe-tools conformance bench lint messages clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

demo: $(BIN)/made ## the shop at http://127.0.0.1:8000/, on the Stripe simulator
	@PORT=$(PORT) $(BIN)/python manage.py demo_setup
	@export PORT=$(PORT) DJANGO_RUNSERVER_HIDE_WARNING=true; \
	$(BIN)/python manage.py licenzy_deliver --forever & deliver=$$!; \
	$(BIN)/python manage.py runserver --noreload 127.0.0.1:$(PORT) & server=$$!; \
	trap 'kill $$deliver $$server 2>/dev/null; wait' EXIT INT TERM; \
	wait $$server

test: $(BIN)/made ## the quick suite: SQLite, no services, one worker a core
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-postgres: $(BIN)/made ## the same suite on PostgreSQL (POSTGRES_URL)
	DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-slow: $(BIN)/made ## the long proofs that `make test` leaves out; with DATABASE_URL on PostgreSQL
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow and not browser and not installed and not exhaustive" $(ARGS)

test-hosts: $(BIN)/made ## odd hosts really started: zones, caches, schemas, requests in transactions; with DATABASE_URL on PostgreSQL
	$(BIN)/python -m pytest -m "hosts or quick" tests/hosts tests/views/test_private_answers.py $(ARGS)

test-crashes: $(BIN)/made ## servers killed under way, 100 rounds; with DATABASE_URL on PostgreSQL
	$(BIN)/python -m pytest -m crash $(ARGS)

test-orders: $(BIN)/made ## every order of the longer histories too
	$(BIN)/python -m pytest -n $(WORKERS) -m exhaustive $(ARGS)

test-laws: $(BIN)/made ## the laws on HISTORIES random histories (20,000, half an hour), from SEED on
	LICENZY_LAW_HISTORIES=$(HISTORIES) LICENZY_LAW_SEED=$(SEED) $(BIN)/python -m pytest -n $(WORKERS) tests/test_laws.py $(ARGS)

test-mutants: $(BIN)/made-mutants ## changes the pure rules here and there; their tables must notice (docs/reliability.md)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

test-api-fuzz: $(BIN)/made-fuzz ## generated requests at the running demo: no 500, no answer outside the schema
	$(BIN)/python -m pytest -m fuzz tests/fuzz $(ARGS)

test-client: $(BIN)/made-client ## a Python client generated from the schema buys at the running demo
	$(BIN)/python -m pytest -m client tests/client $(ARGS)

test-matrix: ## the quick suite on Django 5.2, 6.0 and 6.1 with Python 3.11, 3.12 and 3.13
	.ci/matrix $(ARGS)

test-browser: $(BIN)/made-browser ## the story in headless Chromium (CHROMIUM)
	CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest -m browser $(ARGS)

test-installed: $(BIN)/made ## builds the wheel and follows the README in an empty project
	$(BIN)/python -m pytest -m installed $(ARGS)

test-stripe-tools: $(BIN)/made tests/stripe_tools/node_modules/made ## Stripe's command line and Node SDK (npm) on the simulator
	$(BIN)/python -m pytest -m stripe_tools tests/stripe_tools $(ARGS)

conformance: $(BIN)/made $(if $(BROWSER),$(BIN)/made-browser) ## scenarios of billing on the simulator, and at Stripe with STRIPE_TEST_SECRET_KEY=sk_test_… (ONLY, YES=1, BROWSER=1)
	@CHROMIUM=$(CHROMIUM) $(BIN)/python -m conformance $(if $(ONLY),--only $(ONLY)) $(if $(YES),--yes) $(if $(BROWSER),--browser) $(ARGS)

bench: $(BIN)/made benchmarks/.venv-peers/made ## compares with others and with the floor, 15 minutes; QUICK=1 takes 3
	POSTGRES_URL=$(POSTGRES_URL) QUICK=$(QUICK) $(BIN)/python -m benchmarks $(PARTS)

lint: $(BIN)/made ## ruff, mypy, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run

messages: $(BIN)/made ## finds texts without a German translation, and compiles those that have one (needs gettext)
	cd licenzy_django && ../$(BIN)/django-admin makemessages -l de --no-obsolete --no-wrap --no-location
	cd licenzy_django && ../$(BIN)/django-admin compilemessages -l de

clean: ## forget .venv and the demo's database
	rm -rf .venv build dist db.sqlite3* .demo.json

.venv: $(BIN)/made

$(BIN)/made: pyproject.toml
	@python="$$($(find_python))"; \
	if command -v uv >/dev/null 2>&1; then \
	  uv sync --quiet --frozen $${python:+--python "$$python"}; \
	elif [ -n "$$python" ]; then \
	  "$$python" -m venv $(if $(PYTHON),--clear) .venv \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1' \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev; \
	else \
	  echo "licenzy-django needs Python 3.11 or newer, or uv, which brings its own." >&2; false; \
	fi
	@touch $@

# The same Django and psycopg as ours, so that nothing but the libraries differs.
benchmarks/.venv-peers/made: benchmarks/requirements-peers.txt $(BIN)/made
	$(BIN)/python -m venv --clear benchmarks/.venv-peers
	$(BIN)/python -c 'from importlib.metadata import version; print(*(f"{name}=={version(name)}" for name in ("django", "djangorestframework", "psycopg")))' \
	  | xargs benchmarks/.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements-peers.txt
	@touch $@

$(BIN)/made-fuzz: $(BIN)/made
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet --frozen --inexact --group fuzz; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz; fi
	@touch $@

$(BIN)/made-client: $(BIN)/made
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet --frozen --inexact --group client; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --group client; fi
	@touch $@

# Installed beside the lock file: it is no part of what CI runs.
$(BIN)/made-mutants: $(BIN)/made
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python 'mutmut>=3.8'; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.8'; fi
	@touch $@

# Not `npm ci`: it wants the command line for every platform in the lock file.
tests/stripe_tools/node_modules/made: tests/stripe_tools/package-lock.json
	cd tests/stripe_tools && npm install --silent --no-save
	@touch $@

$(BIN)/made-browser: $(BIN)/made
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet --frozen --inexact --group browser; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --group browser; fi
	@touch $@
