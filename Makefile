# Everything runs out of ./.venv and ./var; `make clean` removes both. No root, no service, no account.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
N ?=
REAL ?=
HOSTS ?= 7
SCENES ?= all
REAL_DATA ?= ../shared/data

.PHONY: help up demo test check bench load quality rehearse units clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(VENV)/run.done: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vakanz needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@echo "installing into $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.done: $(VENV)/run.done requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/bench.done: $(VENV)/dev.done requirements/bench.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

up: $(VENV)/run.done  ## start everything, run the main job, serve http://127.0.0.1:8080 until Ctrl-C
	@$(BIN)/vakanz up $(if $(REAL),--real $(REAL))

# A folder of its own, so that it neither disturbs nor needs what `make up` keeps.
demo: $(VENV)/run.done  ## the same once, without serving; the last line is one JSON object (REAL=folder: saved payloads)
	@rm -rf var/demo; VAKANZ_HOME=var/demo $(BIN)/vakanz demo $(if $(REAL),--real $(REAL)); \
	  status=$$?; $(BIN)/python -m lib.store.embedded var/demo; exit $$status

test: $(VENV)/dev.done  ## the whole test suite, on real embedded servers
	@$(BIN)/python -m pytest -n $${WORKERS:-4} --dist worksteal

check: $(VENV)/dev.done test  ## test, and formatting, lint, types, architecture
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/bench.done  ## measure, each figure beside its bound (N=100000: that many postings)
	@$(BIN)/python -m tests.bench $(if $(N),--postings $(N))

load: $(VENV)/dev.done  ## 60 s of 200 searches/s through a restart of PostgreSQL (RATE=, SECONDS=)
	@$(BIN)/python -m tests.adversity.rush $(if $(RATE),--rate $(RATE)) $(if $(SECONDS),--seconds $(SECONDS))

quality: $(VENV)/run.done  ## how well titles are matched, on labelled sets (REAL_DATA=folder)
	@$(BIN)/vakanz quality run $(REAL_DATA)/matching
	@$(BIN)/vakanz quality ablate $(REAL_DATA)/matching
	@$(BIN)/vakanz quality resumes $(REAL_DATA)/matching

# Root, Debian 12 or newer: apt install systemd-container debootstrap openssh-client. HOSTS=3 SCENES=short: a short one.
rehearse: $(VENV)/dev.done  ## boot seven systemd hosts, roll the fleet out, break things (HOSTS=3, SCENES=short or names)
	@$(BIN)/python -m tests.fleet rehearse --hosts $(HOSTS) --scenes $(SCENES)

units: $(VENV)/dev.done  ## how systemd-analyze rates what each unit may do
	@$(BIN)/python -m tests.units

clean:  ## remove what the other targets made
	@if [ -x $(BIN)/python ] && [ -d var ]; then $(BIN)/python -m lib.store.embedded var; fi
	@rm -rf $(VENV) var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
