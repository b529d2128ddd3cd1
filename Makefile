# Two commands a newcomer needs: `make demo` and `make test`. Both set up a virtual environment in .venv first.
PYTHON ?= python3
BIN := .venv/bin
DEMO_BANK ?= demo-bank
# Two processes of one thread each: two threads in each would wait for one another on two cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadgroup

# Where a machine's default is to keep no bytecode, each test run, and each command that a test starts,
# compiles torch, its other packages and every test anew: half of what collecting takes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test slow lint types floors unit fuzz bench clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("featbank needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e ".[dev,notebook,lora]"
	touch .venv/ready

demo: setup
	$(BIN)/python pipelines/demo.py --bank $(DEMO_BANK)

test: lint types floors unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell featbank tests pipelines README.md

types: setup
	$(BIN)/mypy

floors: setup
	$(BIN)/lint-imports

unit: setup
	$(PYTEST)

slow: setup
	$(PYTEST) --durations=30 -m "slow and not gpu"

# Damaged images, tables, JSON, weights and banks: N trials of each kind, from one seed.
N ?= 200
SEED ?= 0
fuzz: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --trials $(N) --seed $(SEED)

bench: setup
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv $(DEMO_BANK) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
