# `make` by itself lists what can be made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCHMARKS := serving.load serving.acknowledgements serving.recommend serving.import_rate \
  serving.near_duplicates serving.impressions serving.sizing serving.community_truth search.quality association.rules cf.quality cf.scale \
  ranking.marketplace_truth
TRIALS := replicas kill network disk retries damage training spark hostile clocks soak

.DEFAULT_GOAL := help
.PHONY: help setup demo replicas test check lint format types layers bench torture docs wheel constraints clean

# What Python compiles is kept, though the machine says otherwise: every command would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

# Of pip only what is wrong: not that there is a newer one, who runs it, or where its scripts are. By the environment,
# so that it holds for the pips that pip starts, too.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Of this one pip reads 0 as "do not warn".
export PIP_NO_WARN_SCRIPT_LOCATION := 0

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install Homefeed and its tools into .venv

$(STAMP): pyproject.toml constraints.txt
	@echo "Installing into $(VENV): a minute or two the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup ## Generate, train and serve the demonstration apps
	$(BIN)/homefeed demo

replicas: setup ## Serve three replicas behind nginx on PostgreSQL and Redis, to try
	@$(BIN)/python -m torture.stack $(ARGS)

# A worker for each core, up to eight; what these run is in tests/parallel.py. More threads of BLAS would wait for one
# another.
test: setup ## Run every test; ARGS='-k name' for some
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses=logical --maxprocesses=8 --dist=loadgroup --no-loadscope-reorder $(ARGS)

check: lint format types layers ## Run every check that needs no running

lint: setup
	$(BIN)/ruff check

format: setup
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

bench: setup ## Run the benchmarks, a line of JSON each
	@for module in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$module || exit 1; done

torture: setup ## Hurt running servers for hours and count what was lost, a line of JSON each; as root
	@for trial in $(TRIALS); do $(BIN)/python -m torture.$$trial || exit 1; done

docs: setup ## Write the tables of settings in docs/ from the code
	$(BIN)/python -m docs.tables

wheel: setup ## Build the wheel into dist/, to install elsewhere
	@rm -rf dist build
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@cp constraints.txt dist/
	@ls dist/*

constraints: setup ## Pin what is installed now
	$(BIN)/pip freeze --exclude-editable > constraints.txt
	@touch $(STAMP)

clean: ## Remove .venv and the tools' caches; your data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests benchmarks docs torture -name __pycache__ -type d -prune -exec rm -rf {} +
