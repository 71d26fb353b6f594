# Two commands matter: `make chat` opens the chat, `make test` proves that it works.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
UV := $(VENV)/bin/uv
STAMP := $(VENV)/.installed
NEEDED_GB := 12
TIMEOUT := 1200

.PHONY: setup chat test check bench campaign lock wheel clean

setup: $(STAMP) index/saved/manifest.json

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python {v[0]}.{v[1]} is not supported. Install 3.11, 3.12 or 3.13, or name one: make PYTHON=python3.12")'
	@free=$$(df -Pk . | awk 'NR == 2 {print int($$4 / 1048576)}'); \
	echo "Setting up in $(VENV): about 5 GB to download, $(NEEDED_GB) GB on disk; $$free GB are free."; \
	if [ "$$free" -lt $(NEEDED_GB) ] && [ ! -e $(STAMP) ]; then echo "Too little room: free $(NEEDED_GB) GB and try again."; exit 1; fi
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(RUN) -m pip install --quiet uv
	$(UV) pip install --python $(RUN) --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

index/saved/manifest.json: $(STAMP) $(wildcard index/*.py index/cards/*.toml index/replies/* tools/*.py) index/properties.toml
	@echo "Building the search index (a minute the first time)."
	@$(RUN) -m assistant index build --into index/saved

chat: setup
	$(RUN) app.py

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(RUN) -m assistant index check

test: check
	@$(RUN) -m tests.needs
	OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n 2 --dist loadfile --ignore tests/browser
	$(RUN) -m pytest -q tests/browser

bench: setup
	$(RUN) -m pytest -q -s -o timeout=$(TIMEOUT) -o python_files='bench_*.py' tests/bench

campaign: setup
	$(RUN) -m pytest -q -s -o timeout=0 -o python_files='campaign_*.py' tests/campaign

lock:
	$(UV) pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --quiet --upgrade -o requirements.lock
	$(UV) pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --quiet --upgrade -o requirements-dev.lock

wheel: setup
	$(UV) build --wheel

clean:
	rm -rf $(VENV) index/saved dist build .mypy_cache .pytest_cache .ruff_cache
