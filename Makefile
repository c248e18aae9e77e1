# make report                set up and run everything; ends with results/report.html
# make report PRESET=paper   the same with workflow/presets/paper.yaml over config.yaml
# make test                  set up and run all checks and tests
# make help                  the other targets

SHELL := bash
PYTHON ?= python3.11
CORES ?= all
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# The environment is made anew when the lock's content changes, not when its time does.
READY := $(VENV)/ready-$(shell cksum < envs/requirements.txt | tr ' ' '-')

# What is laid over config.yaml: a preset, or a file of one's own.
PRESET ?=
CONFIGFILE ?=
ifneq ($(and $(PRESET),$(CONFIGFILE)),)
$(error Give PRESET or CONFIGFILE, not both: a file of your own can start as a copy of the preset)
endif
OVER := $(or $(CONFIGFILE),$(if $(PRESET),workflow/presets/$(PRESET).yaml))
OVERLAY := $(if $(OVER),--configfile "$(OVER)")
SNAKEMAKE := snakemake $(OVERLAY) --cores $(CORES)

# `--quiet all` hides Snakemake's own errors too: where no job has named one, ask again.
SAID := .snakemake/make-report.log
EXPLAIN = grep -qi "error:" $(SAID) \
	|| { [ -n "$$(ls -A .snakemake/locks 2> /dev/null)" ] && echo "Error: another run is at work in this \
	folder, or one was killed. If none is, type: make unlock"; } \
	|| { ! $(SNAKEMAKE) --dry-run -- $(TARGET) > $(SAID) 2>&1 && tail -n 8 $(SAID); } \
	|| echo "Error: a job was stopped. The same command goes on where it was; logs are in results/logs."

RUN_TARGET = mkdir -p .snakemake; set -o pipefail; \
	$(SNAKEMAKE) --quiet all --rerun-incomplete -- $(TARGET) 2>&1 | tee $(SAID) || { $(EXPLAIN); exit 1; }

# What the lock holds, and what is installed only for the data sets that need it.
ALWAYS := data tensorflow report workflow dev
CLIENTS := fiftyone huggingface
COMPILE = uv pip compile --python-version 3.11 --python-platform linux --generate-hashes --quiet \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

.PHONY: report check browse test bench lint setup clients unlock lock clean help

report: TARGET := all
report: clients  ## Run the whole pipeline (PRESET=paper: with a preset, CONFIGFILE=x.yaml: with a file)
	@$(RUN_TARGET)
	@python envs/install_clients.py --report $(if $(OVER),"$(OVER)")

check: TARGET := check_setup
check: clients  ## Say whether all is there that a run needs, and what it will cost (PRESET=paper)
	@$(RUN_TARGET)

browse: $(READY)  ## Open the FiftyOne app on a run (RUN=unet_30)
	@python envs/install_clients.py --client fiftyone
	@python workflow/browse_run.py $(OVERLAY) --run "$(or $(RUN),unet_30)"

test: lint  ## Run all checks and tests
	@python envs/install_clients.py --client $(CLIENTS)
	@python -m pytest

bench: $(READY)  ## Measure preprocessing and reading against the obvious way (FOLDER=photographs)
	@python tests/benchmarks/data.py $(if $(FOLDER),"$(FOLDER)")

lint: $(READY)  ## Check style, types and the workflow
	@ruff check .
	@ruff format --check --quiet .
	@mypy
	@snakemake --lint

setup: $(READY)  ## Make the virtual environment in .venv

clients: $(READY)
	@python envs/install_clients.py $(if $(OVER),"$(OVER)")

unlock: $(READY)  ## Remove the lock that a killed run has left behind
	@snakemake --unlock

lock: $(READY)  ## Resolve the packages anew: envs/*.in to the locks envs/*.txt and to envs/*.yaml
	$(COMPILE) --upgrade envs/*.in -o $(VENV)/all.txt
	$(COMPILE) -c $(VENV)/all.txt $(ALWAYS:%=envs/%.in) -o envs/requirements.txt
	for client in $(CLIENTS); do \
		$(COMPILE) -c $(VENV)/all.txt envs/$$client.in -o envs/$$client.txt || exit 1; done
	$(MAKE) setup
	python envs/write_conda_environments.py

clean:  ## Remove the results and the data, not the downloads in data/cache nor the environment
	@find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -r {} +
	@if [ -d data ]; then find data -mindepth 1 -maxdepth 1 ! -name cache -exec rm -r {} +; fi
	@rm -rf .snakemake

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY):
	@command -v $(PYTHON) > /dev/null || { echo "make: no $(PYTHON); install Python 3.11, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, some minutes)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.txt
	@touch $@
