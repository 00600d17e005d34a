# Everything here works on a fresh machine that has git, make and Python 3.11 or newer.
#   make test PYTHON=python3.12    uses that interpreter, in .venv-3.12
#   make test ARGS="-k usage"      hands the rest to pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench interpreter

ifndef VENV
VENV := .venv$(if $(PYTHON),-$(shell '$(PYTHON)' -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null))
endif
IN_VENV := $(VENV)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --editable

# Newest first. A name on PATH proves nothing: a pyenv shim of a version that is not switched on answers
# "command not found", and Debian's python3 without python3-venv cannot make an environment.
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
USABLE := import ensurepip, venv; $(NEW_ENOUGH)

# One shell program that prints the interpreter to use, or fails with one sentence that says what to do.
define CHOOSE
for python in $(CANDIDATES); do \
    if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then echo "$$python"; exit 0; fi; \
done; \
for python in $(CANDIDATES); do \
    if "$$python" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then \
        echo "$$python cannot make a virtual environment: install its venv package (on Debian: apt install python3-venv) and run make again." >&2; exit 1; \
    fi; \
done; \
echo "No Python 3.11 or newer among: $(CANDIDATES). Install one (on Debian: apt install python3 python3-venv) or name yours: make PYTHON=/path/to/python3" >&2; \
exit 1
endef

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

# What is installed for the tests serves the demo too.
demo: $(VENV)/.installed-$(if $(wildcard $(VENV)/.installed-dev),dev,local) ## a day of real-shaped usage through the real function, and who owes what, in money
	@$(IN_VENV) -m chargeback demo

test: $(VENV)/.installed-dev node_modules/.installed ## everything that can be tested on this machine
	@$(IN_VENV) -m pytest $(ARGS)

check: $(VENV)/.installed-dev ## ruff, ruff format --check and mypy --strict
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy

bench: $(VENV)/.installed-dev ## what it costs: one line per figure, against its limit
	@$(IN_VENV) -m tests.bench

interpreter:
	@$(CHOOSE)

$(IN_VENV):
	@python=$$($(CHOOSE)) && "$$python" -m venv --clear '$(VENV)'

# `.installed-local` and `.installed-dev`: written when that extra is in, out of date when what it installs changes.
$(VENV)/.installed-%: $(IN_VENV) requirements.txt pyproject.toml setup.py
	@echo "Installing chargeback[$*] into $(VENV), once: this takes a minute."
	@log=$(VENV)/install.log; $(IN_VENV) $(PIP_INSTALL) '.[$*]' >"$$log" 2>&1 || { cat "$$log" >&2; exit 1; }
	@if [ '$*' = dev ] && command -v cc >/dev/null; then \
		$(IN_VENV) $(PIP_INSTALL) '.[amqp]' >>$(VENV)/install.log 2>&1 || \
		echo "warning: chargeback[amqp] cannot be built: the tests that need it will be skipped ($(VENV)/install.log)." >&2; \
	fi
	@touch $@

# A second opinion on infra/, in an environment of its own: its pins clash with ours. Not for every `make test`: 270 MB.
.venv-checkov/bin/checkov:
	@echo "Installing checkov into .venv-checkov, once: this takes a minute."
	@python=$$($(CHOOSE)) && "$$python" -m venv --clear .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30

# Without Node.js the tests that need it are skipped and say so.
node_modules/.installed: package.json package-lock.json
	@if ! command -v npm >/dev/null; then exit 0; fi; \
	echo "Installing Node packages into node_modules, once."; \
	if npm ci --silent; then touch $@; \
	else echo "warning: npm ci failed: the tests that need Node packages will be skipped." >&2; fi
