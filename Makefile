# make report                set up and run everything; ends with results/report.html
# make report PRESET=paper   the same with workflow/presets/paper.yaml over config.yaml
# make report GPU=1          the same on an NVIDIA GPU
# make test                  set up and run the checks and the tests, in a quarter of an hour
# make help                  the other targets

SHELL := bash
PYTHON ?= python3.11
CORES ?= all
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/workflow$(if $(PYTHONPATH),:$(PYTHONPATH))
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

# GPU=1: CUDA's libraries are installed beside the rest, and a GPU is insisted on.
GPU ?= 0
ifeq ($(filter 0 1,$(GPU)),)
$(error GPU is 1 or 0, not $(GPU); to choose one of several, set CUDA_VISIBLE_DEVICES)
endif
CUDA := $(filter 1,$(GPU))
RUN_TARGET = python workflow/scripts/run_pipeline.py --cores "$(CORES)" $(OVERLAY) \
	$(if $(CUDA),--config accelerator=cuda) -- $(TARGET)

# What the lock holds; what is installed only for the data sets that need it; and what has a lock of its
# own with the same pins, besides: what signs pictures, CUDA's libraries and what submits jobs to clusters go
# over the environment, PyTorch goes into another.
ALWAYS := data tensorflow report export colorize study workflow dev uv
CLIENTS := fiftyone huggingface
OTHERS := c2pa cuda kubernetes slurm torch uv
TORCH := .venv-torch
TORCH_READY := $(TORCH)/ready-$(shell cksum < envs/torch.txt | tr ' ' '-')
COMPILE = uv pip compile --python-version 3.11 --python-platform linux --generate-hashes --quiet \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

# All targets use one environment; none is made beside another.
.NOTPARALLEL:
.PHONY: report check study archive restore browse test test-all test-torch soak bench lint setup test-setup clients unlock now lock clean help

report: TARGET := all
report: clients  ## Run the whole pipeline (PRESET=paper: a preset, CONFIGFILE=x.yaml: a file, GPU=1)
	@$(RUN_TARGET)
	@python envs/install_clients.py --report $(if $(OVER),"$(OVER)")

check: TARGET := check_setup
check: clients  ## Say whether all is there that a run needs, and what it will cost (PRESET=paper, GPU=1)
	@$(RUN_TARGET)

study: TARGET := draw_study
study: clients  ## Draw the material of the user study, for `deepcolor study serve` (PRESET=paper)
	@$(RUN_TARGET)
	@python envs/install_clients.py --study $(if $(OVER),"$(OVER)")

archive: $(READY)  ## Pack the results, and how they came about, into FILE=deepcolor.tar.gz (PRESET=paper)
	@python workflow/scripts/archive_results.py pack $(OVERLAY) --archive "$(or $(FILE),deepcolor.tar.gz)"

restore: $(READY)  ## Unpack the results of an archive (FILE=deepcolor.tar.gz, PRESET=paper if it was made so)
	@python workflow/scripts/archive_results.py unpack $(OVERLAY) --archive "$(or $(FILE),deepcolor.tar.gz)"

browse: $(READY)  ## Open the FiftyOne app on a run (RUN=unet_30)
	@python envs/install_clients.py --client fiftyone
	@python workflow/scripts/browse_run.py $(OVERLAY) --run "$(or $(RUN),unet_30)"

# Tests that use the same finished run share one process, and with it that run.
PYTEST := python -m pytest --numprocesses $(or $(TESTERS),3) --dist loadfile

test: test-setup lint  ## Run the checks and the tests, in a quarter of an hour (TESTERS=3: processes)
	@$(PYTEST) -m "not slow"

test-all: test-setup lint  ## Run every test, as before a release
	@python envs/install_clients.py --client kubernetes slurm
	@$(PYTEST)

test-setup: $(READY)
	@python envs/install_clients.py --client $(CLIENTS) c2pa

test-torch: $(TORCH_READY)  ## Try the networks under PyTorch, in an environment of its own (2.6 GB)
	@KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest tests/unit/training/test_backends.py

soak: $(READY)  ## Kill trainings and the study's server, KILLS=50 times; disturb whole runs, ROUNDS=5; compare
	@python tests/soak/training.py --kills $(or $(KILLS),50)
	@python tests/soak/study.py --kills $(or $(KILLS),50)
	@python tests/soak/workflow.py --rounds $(or $(ROUNDS),5)

bench: $(READY)  ## Measure data, training, scoring, the study's server and colorizing (FOLDER=photographs; QUICK=1: in part)
	@python tests/benchmarks/data.py $(if $(FOLDER),"$(FOLDER)")
	@python tests/benchmarks/large.py $(if $(QUICK),--quick)
	@python tests/benchmarks/training.py $(if $(QUICK),--quick)
	@python tests/benchmarks/backends.py $(if $(QUICK),--quick)
	@python tests/benchmarks/evaluation.py $(if $(QUICK),--quick)
	@python tests/benchmarks/study.py $(if $(QUICK),--people 20 --trials 8)
	@python tests/benchmarks/colorize.py $(if $(FOLDER),"$(FOLDER)") $(if $(QUICK),--quick)

lint: $(READY)  ## Check style, types and the workflow
	@ruff check .
	@ruff format --check --quiet .
	@mypy
	@snakefmt --check Snakefile rules
	@snakemake --lint

setup: $(READY)  ## Make the virtual environment in .venv

clients: $(READY)
	@python envs/install_clients.py $(if $(CUDA),--gpu) $(if $(OVER),"$(OVER)")

unlock: $(READY)  ## Remove the lock that a killed run has left behind
	@snakemake --unlock

now:  ## Give files from the future the present time, when the clock has been set back
	@mkdir -p .snakemake && touch .snakemake/now
	@find -L . -path ./$(VENV) -prune -o -type f -newer .snakemake/now -exec touch -r .snakemake/now {} +

lock: $(READY)  ## Resolve the packages anew: envs/*.in to the locks envs/*.txt and to envs/*.yaml
	$(COMPILE) --upgrade $(filter-out envs/torch.in,$(wildcard envs/*.in)) -o $(VENV)/all.txt
	$(COMPILE) -c $(VENV)/all.txt $(ALWAYS:%=envs/%.in) -o envs/requirements.txt
	for name in $(CLIENTS) $(OTHERS); do \
		$(COMPILE) --upgrade -c $(VENV)/all.txt envs/$$name.in -o envs/$$name.txt || exit 1; done
	$(MAKE) setup
	python envs/write_conda_environments.py

clean:  ## Remove results/ and data/, not people's answers, data/cache, folders that a preset names, the environment
	@$(PYTHON) workflow/scripts/clean_project.py

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY):
	@[ -w . ] || { echo "make: $(CURDIR) is read-only; make it writable, or copy the project to a folder of yours"; exit 1; }
	@command -v $(PYTHON) > /dev/null || { echo "make: no $(PYTHON); install Python 3.11, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, a minute or two)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python envs/install_packages.py envs/requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(TORCH_READY):
	@echo "Setting up $(TORCH) (once, some minutes)"
	@rm -rf $(TORCH)
	@$(PYTHON) -m venv $(TORCH)
	@$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/torch.txt
	@touch $@
