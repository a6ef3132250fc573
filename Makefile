# `make` alone lists the commands.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-readers lint format clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(STAMP) ## make .venv with everything that runs and tests Outhaul

demo: $(STAMP) ## run the main job from an empty directory: sample shop, server, two exports, checks
	$(BIN)/python -m demo

test: $(STAMP) lint ## every test that PyPI alone can serve
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-readers: $(STAMP) ## open our ZIPs with unzip, 7z, bsdtar, Java and Node (apt: unzip p7zip-full libarchive-tools; JDK; Node)
	$(BIN)/python -m pytest -n 2 tests/readers

lint: $(STAMP) ## ruff, mypy, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the virtual environment and what the demo made
	rm -rf $(VENV) demo-data
