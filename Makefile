# Two commands on a bare machine (python3 >= 3.11 and make): `make run` and `make test`.
# uv is used when it is there, because it is faster; nothing needs it.

PYTHON ?= python3
# make test ARGS='--postgres=18 -k twins'
ARGS   ?=
# make test DATABASE_URL=postgresql://… (docs/citus.md): empty, or one that tests had before
DATABASE_URL ?=
# make soak MINUTES=30
MINUTES ?= 10
# make focus FILE=october/focus-1.2-2026-10-cost-and-usage.csv FOCUS_PYTHON=focus/bin/python
FOCUS_PYTHON ?= python3
# What Python compiled is kept, also where the environment of a container says that it is not to be:
# each process that is started, and each test, would compile all of our code again.
export PYTHONDONTWRITEBYTECODE =
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

# Installs a hash-locked list and our two distributions, editable, without touching the network for the latter.
ifeq ($(UV),)
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r $(1) \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e ./sdk
else
install = $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/build.txt -r $(1) \
	&& $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e ./sdk
endif

.PHONY: help setup run demo test tutorial screenshots reference check lint types contracts bench soak hostile audit sbom image focus lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "spanledger needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); test -n "$(UV)" && $(UV) venv -q --python $(PYTHON) $(VENV); } || { echo "$(PYTHON) cannot make a virtual environment: install python3-venv (Debian, Ubuntu), or uv"; exit 1; }

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml sdk/pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) (once; a minute or two)"
	@$(call install,requirements/run.txt)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "adding the tools of make check to $(VENV)"
	@$(call install,requirements/dev.txt)
	@touch $@

setup: $(VENV)/.run ## prepare .venv (run and test do it by themselves)

run: $(VENV)/.run ## everything on this machine: Postgres, collector, jobs, API
	@$(BIN)/spanledger serve

demo: $(VENV)/.run ## run, and fill it with six weeks of a simulated company
	@$(BIN)/spanledger demo --weeks 6

# Three for two cores: while one waits for a process, two work.
test: $(VENV)/.dev ## the whole suite against real Postgres (DATABASE_URL=: against that one)
	@$(BIN)/python -m pytest $(if $(DATABASE_URL),--database-url='$(DATABASE_URL)',-n 3 --dist worksteal) $(ARGS)

tutorial: $(VENV)/.dev ## docs/tutorial.md to the letter, from a clean clone without a .venv (asks the package index)
	@$(BIN)/python -m pytest -q --postgres=18 --bare-machine tests/test_tutorial.py

screenshots: $(VENV)/.dev ## a picture of every page, in three widths, light and dark (needs Chromium)
	@$(BIN)/python -m pytest -q --postgres=18 --screenshots=screenshots tests/test_pages_looked_at.py
	@echo "they are in screenshots/"

reference: $(VENV)/.run ## write docs/reference/ from the code
	@$(BIN)/python -m app.reference

lint: $(VENV)/.dev ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --extend-exclude "*.md" .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

contracts: $(VENV)/.dev ## who may import whom
	@$(BIN)/lint-imports --no-cache --no-logo

check: lint types contracts test ## all that must pass before a commit lands

bench: $(VENV)/.dev ## what we claim about speed, measured here (two minutes; FULL=1: ten)
	@$(BIN)/python -m bench $(if $(FULL),--full) $(ARGS)

soak: $(VENV)/.dev ## all 81 scenarios: nothing is lost, whatever is killed, cut or full (MINUTES=10; SEED=, ARGS=)
	@GRPC_ENABLE_FORK_SUPPORT=false PYTHONPATH=tests $(BIN)/python -m faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

hostile: $(VENV)/.dev ## every route as every caller; all that the API's contract allows, and much that it does not (MINUTES=10; SEED=)
	@$(BIN)/python -m pytest -q --postgres=18 --every-cell tests/test_access_matrix.py tests/test_hostile_sql.py
	@PYTHONPATH=tests $(BIN)/python -m faults.contract --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

audit: $(VENV)/.dev ## known vulnerabilities of what is locked: fails too where nobody can be asked
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off $(patsubst %,-r %,$(wildcard requirements/*.txt)) \
		|| { echo "audit: NOT passed. Either something above is vulnerable, or the list of vulnerabilities could not be asked and nothing was audited."; exit 1; }

sbom: $(VENV)/.dev ## what the server is made of, as CycloneDX: sbom.cdx.json
	@$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application --sv 1.6 --of JSON --output-reproducible --validate -o sbom.cdx.json requirements/run.txt
	@echo "sbom.cdx.json"

image: ## the container image spanledger:VERSION, with podman or docker (deploy/)
	@engine=$$(command -v podman || command -v docker) || { echo "image: neither podman nor docker is here"; exit 1; }; \
	version=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml); \
	"$$engine" build -f deploy/Containerfile -t "spanledger:$$version" --build-arg VERSION="$$version" \
		--build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo unknown)" $(ARGS) .

focus: ## asks the official FOCUS validator: make focus FILE=.. FOCUS_PYTHON=.. (docs/focus.md)
	@$(FOCUS_PYTHON) bench/focus_official.py $(FILE)

lock: ## write requirements/*.txt anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -U pyproject.toml sdk/pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml sdk/pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -U requirements/build.in -o requirements/build.txt

clean: ## remove what make made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
