# Two commands: `make demo` ends with the path of a report, `make test` runs every test.
# Variables: PYTHON (a Python 3.11), VENV (where the environment goes), TEST_WORKERS (processes that run tests).

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
TEST_WORKERS ?= 2
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test install system lab bench clean

demo: install
	@$(BIN)/workbench doctor --brief
	@$(BIN)/workbench run validation --profile demo

# Files of tests run side by side, as most of them wait for processes of their own; a file stays together, since its tests share what they start.
test: install
	@$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile

install: system $(STAMP)

# torch goes in first and alone: what comes after must not choose another build of it.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed, $(PYTHON) is another; call: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the environment into $(VENV) (some minutes, about 3 GB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,production,scale]'
	@touch $(STAMP)

system:
	@bash scripts/system_packages.sh

lab: install
	@$(BIN)/jupyter lab notebooks

bench: install
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) outputs build *.egg-info
