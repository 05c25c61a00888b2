# `make demo` and `make test` need only Python 3.11 to 3.13 and make; each sets up .venv by itself.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the soak has counted; take the folder away to count anew.
SOAK := soak-workspace
# Whoever forbids bytecode has every child process compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test bench soak lint setup docs audit screenshots clean

demo: setup
	$(BIN)/secondlook demo

test: setup lint
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each part writes docs/soak.md. Those that go on where they stopped keep their counts below $(SOAK).
soak: setup
	mkdir -p $(SOAK)
	$(BIN)/python -m benchmarks.soak_tests
	$(BIN)/python -m benchmarks.bulk_import --page
	$(BIN)/python -m benchmarks.reviewers
	$(BIN)/python -m benchmarks.retrain_kills --workspace $(SOAK)/retrain-kills
	$(BIN)/python -m benchmarks.kills --rounds 200 --minutes 60 --workspace $(SOAK)/kills
	$(BIN)/python -m benchmarks.endurance --minutes 30
	$(BIN)/python -m benchmarks.fuzz --examples 10000 --minutes 60 --state $(SOAK)/fuzz.json
	$(BIN)/python -m benchmarks.mutants --sample 40

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/python docs/commands.py
	$(BIN)/python docs/licences.py

# Known vulnerabilities of what is pinned: from the service that pip-audit asks, or with ADVISORIES=DIR from a copy of
# PyPA's advisory database. "Error 1" is a finding, "Error 3" that the source could not be reached.
audit: setup
ifdef ADVISORIES
	@$(BIN)/python .ci/known_vulnerabilities.py --advisories "$(ADVISORIES)"
else
	@test -x $(VENV)/pip-audit/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/pip-audit && \
	$(VENV)/pip-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit; } || \
	{ echo "NOT CHECKED: pip-audit could not be installed (or: make audit ADVISORIES=DIR)"; exit 3; }
	@$(BIN)/python .ci/known_vulnerabilities.py --pip-audit $(VENV)/pip-audit/bin/pip-audit
endif

screenshots: setup
	$(BIN)/python docs/screenshots.py

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Second Look needs Python 3.11, 3.12 or 3.13 on the PATH (or: make PYTHON=/path/to/python)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo-workspace
