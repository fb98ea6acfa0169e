# Whetstone: `make run` sets up and starts it, `make test` tests it. See README.md.
#
#   make run                     set up what is missing, then open the window
#                                (without a display: the same main job in the terminal)
#   make run GPU=cuda            build llama.cpp for cuda, vulkan or metal (cpu: back again)
#   make run TORCH=cpu           Linux without an NVIDIA GPU: the smaller CPU build of PyTorch
#   make test | test-all         the default suite | with slow tests and benchmark smoke runs
#   make lint | bench | demo | clean
#
# Nothing is fetched once set-up is done: stamps in .venv/.stamps say what is.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/.stamps
PIP := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
UNAME := $(shell uname -s)

.DEFAULT_GOAL := run
.PHONY: run demo setup setup-dev test test-all lint format bench clean distclean system system-test starter
# Set-up steps build on one another.
.NOTPARALLEL:

run: setup
	@if [ "$(UNAME)" = Darwin ] || [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	  exec $(VENV)/bin/whetstone; \
	else \
	  echo "No display: the same job in the terminal, on the sample folder."; \
	  exec $(VENV)/bin/whetstone demo; \
	fi

demo: setup
	@$(VENV)/bin/whetstone demo

setup: system $(STAMPS)/runtime starter
ifdef GPU
	@installers/llama-backend $(GPU)
endif

setup-dev: system-test setup $(STAMPS)/dev

system system-test:
ifeq ($(UNAME),Linux)
	@PYTHON=$(PYTHON) installers/linux/system-packages $(if $(filter system-test,$@),test,run)
endif

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Whetstone needs Python 3.11 or newer: make run PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: pyproject.toml constraints.txt | $(STAMPS)/venv
	@echo "Installing packages. The first time, llama.cpp is compiled: about 8 minutes on two cores."
ifeq ($(TORCH),cpu)
	@$(PIP) --quiet --extra-index-url https://download.pytorch.org/whl/cpu torch
endif
	@$(PIP) --editable .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/runtime
	@echo "Installing the packages tests and checks need …"
	@$(PIP) --quiet --editable '.[dev]'
	@touch $@

starter: $(STAMPS)/venv
	@$(PY) installers/fetch_starter.py

test: setup-dev
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest

test-all: setup-dev
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest --hypothesis-profile=exploring -m "slow or bench or not slow"

lint: setup-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports --no-logo

format: setup-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: setup-dev
	QT_QPA_PLATFORM=offscreen $(PY) -m tests.benchmarks

clean:
	rm -rf .bench .hypothesis .import_linter_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) resources/starter
