# Everything runs in .venv, which is made when there is none or the lock changed.
PYTHON ?= python3
DIR ?= build/demo
BIN := .venv/bin

COMPILE := pip compile --quiet --universal --python-version 3.10 --no-python-downloads \
    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help venv demo neo4j test test-docker faults check mutants format docs images page-images bench lock clean

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# compiled as where it is installed: with PYTHONDONTWRITEBYTECODE each start of dws would compile it
venv: .venv/installed  ## make .venv (PYTHON=python3.12 chooses another Python)
	@$(BIN)/python -m compileall -q dws_graph tests

.venv/locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "dws-graph needs Python 3.10 or later, and $(PYTHON) is not:" \
	        "try make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make a virtual environment (venv or ensurepip is missing):" \
	        "on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@echo "installing what the project needs into .venv: it is downloaded, once; a minute or some"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@echo "installing dws-graph itself into .venv"
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: venv  ## make a small workspace and ask it questions (DIR=where, by default build/demo)
	@if [ "$(DIR)" = build/demo ] && [ -e build/demo ]; then \
	    chmod -R u+w build/demo && rm -rf build/demo; fi
	@mkdir -p "$(dir $(DIR))"
	$(BIN)/dws demo "$(DIR)"

neo4j: venv  ## run a Neo4j server for development, from its jars (needs java and mvn); Ctrl-C stops it
	@$(BIN)/python -m tests.neo4j.local $(ARGS)

test: venv  ## run all tests (ARGS="-k name" passes options on); ends with what could not run here
	$(BIN)/python -m pytest $(ARGS)

test-docker: venv  ## build the image, bring its services up and test them, on a Docker engine; minutes
	$(BIN)/python -m pytest -n 0 -m docker tests/docker $(ARGS)

faults: venv  ## kill every operation at each of its fault points; an hour (ARGS="-k snapshot")
	DWS_FAULTS_SEED=all $(BIN)/python -m pytest tests/faults tests/neo4j/test_outage.py \
	    tests/neo4j/test_disk_full.py tests/neo4j/test_killed_sync.py $(ARGS)

check: venv  ## format, lint, types, layers and the fast tests: a minute
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -m "not slow" $(ARGS)

mutants: venv  ## show that the tests of the rules notice: break each rule, see its test fail; minutes
	$(BIN)/python -m tests.mutants.run $(ARGS)

format: venv  ## format the code, and mend what the linter can
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

docs: venv  ## write the pages that are made from the code
	$(BIN)/python docs/make_cli_page.py

images: venv  ## draw the pictures of the docs anew (needs Chromium and dot)
	$(BIN)/python -m docs.make_images $(ARGS)

page-images: venv  ## take the pictures of the service's pages anew (needs Chromium)
	$(BIN)/python -m docs.make_page_images $(ARGS)

bench: venv  ## measure what recording and asking cost, as a workspace grows to 100,000 steps
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/resources.py
	$(BIN)/python -m benchmarks.neo4j
	$(BIN)/python -m benchmarks.readers
	$(BIN)/python -m benchmarks.pages

lock:  ## write requirements.lock, those of the image and of 1.6, from pyproject.toml (ARGS=--upgrade takes the newest of all)
	test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	build/lock/bin/uv $(COMPILE) --extra dev -o requirements.lock pyproject.toml $(ARGS)
	build/lock/bin/uv $(COMPILE) -c requirements.lock -o docker/requirements.lock pyproject.toml
	printf 'dataworkspaces==1.6.0\nsetuptools<81\n' | build/lock/bin/uv $(COMPILE) -o tests/with_16/requirements.lock -
	echo hatchling | build/lock/bin/uv $(COMPILE) -c requirements.lock -o docker/requirements-build.lock -

clean:  ## remove all that was made, .venv too
	@if [ -e build ]; then chmod -R u+w build; fi
	rm -rf .venv build dist *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
