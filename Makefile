# `make run` opens the wizard, `make test` runs the tests. Each sets up .venv first, once, from the locked
# requirements; all it needs is Python 3.11 or newer. ARGS goes to the program: make run ARGS="--plain"

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP = PYTHONUNBUFFERED=1 $(BIN)/pip install --disable-pip-version-check
UV = $(or $(shell command -v uv),$(BIN)/uv)

.DEFAULT_GOAL := help
.PHONY: help setup run sandbox test check format frames docs bench lock

help:  ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(READY)  ## open the wizard
	@$(BIN)/wizard $(ARGS)

sandbox: $(READY)  ## serve the buyer's side to a browser, beside the wizard, in a second terminal
	@$(BIN)/wizard sandbox $(ARGS)

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest $(ARGS)

check: $(READY)  ## lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## put the code into its format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# In one process: only then are frames that no test asks for any longer removed as well.
frames: $(READY)  ## accept the frames as they are painted now (narrow it: ARGS=tests/test_x.py)
	$(BIN)/python -m pytest -n 0 --snapshot-update $(ARGS)

docs: $(READY)  ## write docs/commands.md anew from the commands
	$(BIN)/python -m tests.support.commands

bench: $(READY)  ## measure
	$(BIN)/python -m tests.bench $(ARGS)

# Keeps every version that still fits; ARGS=--upgrade takes the newest ones.
lock:  ## resolve the requirements anew (uses uv)
	@command -v $(UV) >/dev/null || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet uv; }
	$(UV) pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
		--output-file requirements.lock $(ARGS)

setup: $(READY)  ## only set up .venv

# What pip says, as a line for every tenth package: who waits sees that it goes on. What went wrong is written out.
PROGRESS = /^(Collecting|Processing)/ { if (++seen % 10 == 0) print "        " seen " of about " packages } \
	/^Installing collected/ { print "        putting them in place" } /^FAILED$$/ { failed = 1 } { fflush() } END { exit failed }

# The project itself is installed in place, because the command `wizard` and the entry points that announce the
# backends come with an installation, and in place an edit counts at once. Its build tools are in the lock too, so
# nothing is fetched but what the lock names.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up $(VENV): once, about a minute"
	@echo "1 of 3: a Python environment of its own"
	@$(PYTHON) -m venv $(VENV)
	@echo "2 of 3: the packages of requirements.lock"
	@{ $(PIP) --require-hashes -r requirements.lock 2>$(VENV)/.errors || echo FAILED; } \
		| awk -v packages=$$(grep -c '^[a-z]' requirements.lock) '$(PROGRESS)' || { cat $(VENV)/.errors >&2; exit 1; }
	@echo "3 of 3: the wizard itself"
	@$(PIP) -qq --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Done. The command is $(BIN)/wizard; after \". $(BIN)/activate\" it is just wizard, in that terminal."
