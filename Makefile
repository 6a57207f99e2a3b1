# `make help` lists the targets. Everything is installed into .venv, which the first target that
# needs it makes. A torch that is there already is kept: to choose its build (the default one
# brings CUDA and is large), run `make venv`, install that torch into .venv, then go on.

PYTHON ?= python3
ARGS ?=
LOWEST ?=

# A process for each core, and one thread in each: several threads of several processes wait for
# one another.
PYTEST = OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses logical --maxprocesses 4 \
    --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-all test-min tested lint docs clean always

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: .venv/pyvenv.cfg  ## make .venv, with nothing in it (PYTHON=python3.12 names the Python)

demo: .venv/.installed-demo .venv/.installed-plot  ## distil and report, into output/ too (ARGS="--data FILE --target COLUMN" for your own table)
	@mkdir -p output
	.venv/bin/python -m skdistill demo --html output/demo.html --picture output/demo.png $(ARGS)

test: .venv/.installed-test  ## the tests and the docstrings' examples (ARGS goes to pytest)
	$(PYTEST) $(ARGS)

test-all: .venv/.installed-test  ## the same with the slow tests
	$(PYTEST) -m "slow or not slow" $(ARGS)

test-min: .venv-min/.installed  ## the tests on the lowest versions of pyproject.toml (LOWEST="torch==2.13.0" for others)
	$(subst .venv/,.venv-min/,$(PYTEST)) $(ARGS)

tested: .venv/.installed-test  ## count what is tested, into docs/tested.txt
	.venv/bin/python tests/count.py > docs/tested.txt

lint: .venv/.installed-lint  ## ruff and mypy
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy

docs: .venv/.installed-docs .venv/.installed-test  ## run the guide's examples, build docs/_build/html
	$(PYTEST) -m "slow or not slow" tests/test_docs.py
	rm -rf docs/generated docs/auto_examples docs/_build
	.venv/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:  ## remove what was built; .venv and .venv-min stay
	rm -rf build dist *.egg-info docs/_build docs/generated docs/auto_examples htmlcov .coverage \
	    .pytest_cache .mypy_cache .ruff_cache
	find . -name '.venv*' -prune -o -name __pycache__ -prune -exec rm -rf {} +

# Each stamp says: this much of pyproject.toml is installed, and the version of __init__.py. They
# are inside .venv and go with it.
.venv/pyvenv.cfg .venv-min/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "skdistill needs Python 3.11 or newer, and '$(PYTHON)' is not." \
	         "Name one that is: make $(or $(MAKECMDGOALS),venv) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(@D) || { rm -rf $(@D); exit 1; }

.venv/.installed: pyproject.toml skdistill/__init__.py | .venv/pyvenv.cfg
	.venv/bin/python -m pip install -e .
	@touch $@

.venv/.installed-%: pyproject.toml skdistill/__init__.py | .venv/pyvenv.cfg
	.venv/bin/python -m pip install -e ".[$*]"
	@touch $@

# Written whenever it is asked for, and new where LOWEST or the bounds name other versions.
.venv-min/lowest.txt: always | .venv-min/pyvenv.cfg
	@.venv-min/bin/python tests/lowest.py $(LOWEST) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.venv-min/.installed: pyproject.toml skdistill/__init__.py .venv-min/lowest.txt
	.venv-min/bin/python -m pip install -e ".[test]" -c .venv-min/lowest.txt
	@touch $@
