# Every target sets up what it needs; nothing has to be run first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint docs bench soak multiqc chromium clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once; a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY)
	@$(BIN)/stromagate demo --out demo_results --force

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

docs: $(READY)
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build
	@echo "Open docs/_build/index.html in a browser."

test: lint chromium
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not soak" tests

soak: $(READY)
	@$(BIN)/python -m pytest -m soak -s tests

# MultiQC brings more than a gigabyte and many libraries: it lives in an environment of its own.
multiqc: $(READY)
	@test -x .multiqc/bin/multiqc || { \
	  echo "Installing MultiQC into .multiqc (once; 1.1 GB) ..."; \
	  $(PYTHON) -m venv .multiqc && .multiqc/bin/python -m pip install --quiet --disable-pip-version-check 'multiqc>=1.35,<2'; }
	@$(BIN)/python -m pytest -m soak tests/export/test_multiqc_itself.py

bench: $(READY)
	@$(BIN)/python benchmarks/versus_flowkit.py
	@echo
	@$(BIN)/python benchmarks/boundary_draws.py
	@echo
	@$(BIN)/python benchmarks/review.py
	@echo
	@$(BIN)/python benchmarks/scaling.py
	@echo
	@$(BIN)/python -m benchmarks.patterns
	@echo
	@$(BIN)/python -m benchmarks.labelled --out bench_results
	@echo
	@$(BIN)/python -m benchmarks.accuracy --jobs 2 --out bench_results

# The report is tested in a real browser. As root on Debian it is installed; elsewhere the command is said.
chromium:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium: sudo apt-get install chromium"; exit 1; \
	  fi; }

clean:
	@rm -rf $(VENV) .multiqc build dist docs/_build docs/reference demo_results bench_results .mypy_cache .ruff_cache .import_linter_cache .hypothesis
