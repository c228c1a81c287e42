# Everything here needs Python 3.11 or later, git, make and PyPI. The developers' tools go into .venv, made when first needed.
#
#   make demo         a first look: the examples, then a table
#   make test         the tests and the doctests; PYTEST_ARGS="-k tanh" narrows them
#   make fuzz         many malformed calls of every public function; FUZZ_EXAMPLES=1000 makes more
#   make sweep        random programs along many roads; SWEEP_PROGRAMS=2000 SWEEP_SEED=3: docs/design/sweep.md
#   make soak       kills, signals, damaged files, full disks, threads, forks: SOAK_MINUTES=60 SOAK_SEED=1: docs/design/soak.md
#   make selfcheck    every operation's derivatives, orders 1 to 4, at 20 random points each, against the oracle
#   make check        lint, format, types
#   make wheel-test   a newcomer's first steps with the wheel, in an empty environment
#   make wheel-test-all  all tests against the wheel, in an environment of its own
#   make notebooks    the examples as notebooks, run; NOTEBOOKS="burgers kdv" makes these alone
#   make torch-test   the tests of PyTorch's models, in an environment with PyTorch; TORCH=torch==2.13.0 names the version
#   make docs         the documentation, into site/
#   make bench        the benchmarks; derivatives.py, which takes peers, by hand: see benchmarks/README.md
#   make clean        removes what was built; distclean removes the environments too

PYTHON ?= python3
PYTEST_ARGS ?=
FUZZ_EXAMPLES ?= 200
SWEEP_PROGRAMS ?= 20000
SWEEP_SEED ?= 1
SWEEP_ARGS ?=
SOAK_MINUTES ?= 60
SOAK_SEED ?= 1
SOAK_ARGS ?=
NOTEBOOKS ?=

VENV := .venv
DOCS := .venv-docs
TORCHED := .venv-torch
TORCH ?= torch

# Two workers run at once: a BLAS that also takes every core would only make them wait for each other.
# The tests start some hundred processes: each would compile the package anew where bytecode is not written.
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

# The tests, then the doctests of the package that is installed. A worker that has none left takes half of the other's.
TESTS := -n 2 --dist worksteal --doctest-modules --pyargs tests wengert

.PHONY: venv demo test fuzz sweep soak selfcheck check wheel-test wheel-test-all torch-test notebooks docs bench clean distclean

venv: $(VENV)/.stamp

$(VENV)/.stamp: pyproject.toml hatch_build.py src/wengert/surface/table.py  # the last two write stubs
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: venv
	@for script in examples/[0-9]*.py; do \
		echo "== $$script"; $(VENV)/bin/wengert run "$$script" || exit 1; \
	done
	$(VENV)/bin/wengert demo

test: venv
	$(THREADS) $(VENV)/bin/python -m pytest $(TESTS) $(PYTEST_ARGS)

fuzz: venv
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(THREADS) $(VENV)/bin/python -m pytest tests/test_fuzz.py -n 2 $(PYTEST_ARGS)

sweep: venv
	cd tests && $(THREADS) ../$(VENV)/bin/python -m sweep --programs $(SWEEP_PROGRAMS) --seed $(SWEEP_SEED) $(SWEEP_ARGS)

soak: venv
	cd tests && $(THREADS) ../$(VENV)/bin/python -m soak --minutes $(SOAK_MINUTES) --seed $(SOAK_SEED) $(SOAK_ARGS)

selfcheck: venv
	$(THREADS) $(VENV)/bin/wengert check --operations

check: venv
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy src

# The file is no `test_*.py`: `make test` leaves it out, as it fetches packages.
wheel-test: venv
	$(THREADS) $(VENV)/bin/python -m pytest tests/wheel.py $(PYTEST_ARGS)

# -P keeps the working directory off sys.path: only the wheel can answer `import wengert`, and the line before the
# tests makes sure that it does.
wheel-test-all:
	@set -eu; \
	dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; trap 'exit 1' HUP INT TERM; \
	$(PYTHON) -m venv "$$dir/venv"; python="$$dir/venv/bin/python"; \
	"$$python" -m pip wheel --quiet --no-deps --wheel-dir "$$dir" .; \
	"$$python" -m pip install --quiet "$$(echo "$$dir"/wengert-*.whl)[dev]"; \
	"$$python" -P -c 'import sys, wengert; print(wengert.__file__); assert wengert.__file__.startswith(sys.prefix)'; \
	$(THREADS) "$$python" -P -m pytest -p no:cacheprovider $(TESTS) $(PYTEST_ARGS)

notebooks: venv
	$(THREADS) $(VENV)/bin/python docs/make_notebooks.py $(NOTEBOOKS)

# NO_MKDOCS_2_WARNING: the theme's notice about MkDocs 2, which is not used here.
torch-test: $(TORCHED)/.stamp
	$(THREADS) $(TORCHED)/bin/python -m pytest tests/surface/frameworks/test_torch_*.py tests/surface/test_foreign.py tests/verify/test_models.py $(PYTEST_ARGS)

$(TORCHED)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(TORCHED)
	$(TORCHED)/bin/python -m pip install --quiet '$(TORCH)'
	$(TORCHED)/bin/python -m pip install --quiet --editable '.[torch]' pytest pytest-timeout hypothesis
	touch $@

docs: $(DOCS)/.stamp
	$(DOCS)/bin/python docs/make_operations.py
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

$(DOCS)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --editable '.[docs]'
	touch $@

bench: venv
	@for name in tape_cell start memory long_list orders tanh_slope statements tiles; do \
		echo "== benchmarks/$$name.py"; $(VENV)/bin/python benchmarks/$$name.py || exit 1; \
	done

clean:
	rm -rf build dist site .sweep .soak .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) $(DOCS) $(TORCHED)
