# make report    set up and run everything; ends with results/report.html
# make test      set up and run all checks and tests
# make help      the other targets

SHELL := bash
PYTHON ?= python3.11
CORES ?= all
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# The environment is made anew when the lock's content changes, not when its time does.
READY := $(VENV)/ready-$(shell cksum < envs/requirements.txt | tr ' ' '-')

# `--quiet all` hides Snakemake's own errors too: where no job has named one, ask again.
SAID := .snakemake/make-report.log
EXPLAIN = grep -qi "error:" $(SAID) \
	|| { [ -n "$$(ls -A .snakemake/locks 2> /dev/null)" ] && echo "Error: another run is at work in this \
	folder, or one was killed. If none is, type: make unlock"; } \
	|| { ! snakemake --cores $(CORES) --dry-run all > $(SAID) 2>&1 && tail -n 8 $(SAID); } \
	|| echo "Error: a job was stopped. The same command goes on where it was; logs are in results/logs."

.PHONY: report test lint setup unlock lock clean help

report: $(READY)  ## Run the whole pipeline
	@mkdir -p .snakemake
	@set -o pipefail; snakemake --cores $(CORES) --quiet all --rerun-incomplete all 2>&1 \
		| tee $(SAID) || { $(EXPLAIN); exit 1; }
	@python -c 'import yaml; print("Report:", yaml.safe_load(open("config.yaml")).get("results", "results") + "/report.html")'

test: lint  ## Run all checks and tests
	@python -m pytest

lint: $(READY)  ## Check style, types and the workflow
	@ruff check .
	@ruff format --check --quiet .
	@mypy
	@snakemake --lint

setup: $(READY)  ## Make the virtual environment in .venv

unlock: $(READY)  ## Remove the lock that a killed run has left behind
	@snakemake --unlock

lock: $(READY)  ## Resolve the packages anew: envs/*.in to envs/requirements.txt and envs/*.yaml
	uv pip compile --upgrade --python-version 3.11 --python-platform linux --generate-hashes \
		--no-emit-index-url --annotation-style=line --quiet envs/*.in -o envs/requirements.txt
	$(MAKE) setup
	python envs/write_conda_environments.py

clean:  ## Remove the results and the data, not the environment
	@find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -r {} +
	@rm -rf data .snakemake

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY):
	@command -v $(PYTHON) > /dev/null || { echo "make: no $(PYTHON); install Python 3.11, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, some minutes)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.txt
	@touch $@
