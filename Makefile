# Two commands matter: `make up` and `make test`. Each sets up what it needs. Linux and macOS.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
LOCK := $(VENV)/bin/uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header

.PHONY: help up preview down test full quick live versions torture check bench docs pictures dist lock
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.run ## the guide against an emulated tenant: engine, emulator, pulumi up
	@$(RUN) tools/sandbox.py up

preview: $(VENV)/.run ## what `make up` would change
	@$(RUN) tools/sandbox.py preview

down: $(VENV)/.run ## restore the emulated tenant and stop the emulator
	@$(RUN) tools/sandbox.py down

# Commands of the engine wait as often as they compute, so twice as many workers as cores pay (measured on two cores).
WORKERS := 4

test: $(VENV)/.dev ## the tests, on the real engine too, without the long ones (about 8 minutes)
	@PATH="$$($(RUN) tools/engine.py):$$PATH" $(RUN) -m pytest -m "not long" -n $(WORKERS) --dist worksteal

full: $(VENV)/.dev ## every test, as a pull request must pass them (15 minutes)
	@PATH="$$($(RUN) tools/engine.py):$$PATH" $(RUN) -m pytest -n $(WORKERS) --dist worksteal

quick: check ## `make check` and the tests that start no process (under a minute)
	@$(RUN) -m pytest --quick -m "not engine and not browser" -n 2 --dist worksteal

versions: $(VENV)/.dev ## the tests of `make quick` on every supported Python that this machine has
	@$(RUN) tools/versions.py

live: $(VENV)/.dev ## asks a throw-away tenant what nobody knows: make live TENANT=ID (docs/live.md)
	@$(RUN) -m tests.live $(addprefix --tenant ,$(TENANT)) $(OPTIONS)

torture: $(VENV)/.dev ## all fault cells, partial runs and histories; publishes their counts in docs/reliability.md (two hours)
	@rm -rf .torture
	@PATH="$$($(RUN) tools/engine.py):$$PATH" FLEXSAML_TORTURE=1 $(RUN) -m pytest -m torture -n 2 --dist worksteal
	@$(RUN) -m tests.torture

check: $(VENV)/.dev ## formatting, lint, types, direction of imports
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

bench: $(VENV)/.dev ## wall time and memory of commands and rosters, beside what people use instead (20 minutes)
	@PATH="$$($(RUN) tools/engine.py):$$PATH" sh -c 'missed=0; for part in commands rosters; do $(RUN) -m bench.$$part || missed=1; done; exit $$missed'

pictures: $(VENV)/.dev ## the pictures of the documents, anew (needs a Chromium)
	@PATH="$$($(RUN) tools/engine.py):$$PATH" $(RUN) -m tools.pictures

docs: $(VENV)/.dev ## the documentation site, in docs/_build/html
	@$(RUN) -m sphinx -W --keep-going -q -E -a docs docs/_build/html && echo "open docs/_build/html/index.html"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)

# uv installs some twenty times as fast as pip. It does not read pip's settings: where it finds no registry, pip does it.
INSTALL := sh -c '$(VENV)/bin/uv pip install -q --require-hashes --python $(RUN) -r $$0 2>/dev/null || \
	$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r $$0'

$(VENV)/bin/uv: requirements-install.lock | $(VENV)/bin/python
	@$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-install.lock
	@touch $@

$(VENV)/.run: requirements.lock $(VENV)/bin/uv
	@echo "installing $$(grep -c == requirements.lock) packages into $(VENV)"
	@$(INSTALL) requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@$(INSTALL) requirements-dev.lock
	@touch $@

# From the files of the commit, at its time, so that everybody builds the same bytes.
dist: $(VENV)/.dev ## sdist and wheel of the last commit, in dist/
	@rm -rf dist && umask 022 && mkdir -p dist/sources && git archive HEAD | tar -xf - -C dist/sources
	@umask 022 && SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" \
		$(VENV)/bin/uv build -q --no-build-isolation --python $(RUN) --out-dir dist dist/sources && rm -rf dist/sources

lock: $(VENV)/.dev ## after a change of requirements*.txt: the hashes of every package, for all platforms
	@$(LOCK) requirements-install.txt -o requirements-install.lock
	@$(LOCK) requirements.txt requirements-emulator.txt -o requirements.lock
	@$(LOCK) requirements.txt requirements-emulator.txt requirements-docs.txt requirements-dev.txt -o requirements-dev.lock
