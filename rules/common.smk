"""What the rules share: the checked configuration, constants, and what jobs ask for.

No rules here. Everything that can be tested without Snakemake is in workflow/deepcolor.
"""

import os
import signal
import sys
import threading
from functools import cache
from pathlib import Path

from snakemake.persistence import MetadataRecord
from snakemake.utils import update_config

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from deepcolor.compute import devices
from deepcolor.config import (
    configuration,
    data_sets,
    dependencies,
    environment,
    folders,
    job_records,
    models,
    resources,
    runs,
    yaml_files,
)
from deepcolor.config.configuration import as_json
from deepcolor.config.bundled import BUNDLED_NETWORK, BUNDLED_WEIGHTS
from deepcolor.errors import DeepColorError
from deepcolor.labels import BASELINES

if os.path.realpath(os.getcwd()) != os.path.realpath(workflow.basedir):
    raise SystemExit(
        f"Error: DeepColor runs in its own folder: cd {workflow.basedir} (no --directory, no module)"
    )


# SIGTERM ends a run that has not begun its jobs, and unlocks the folder.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def follow():
    """Say at each job's start how far the run is, where `make` has asked for it."""
    if "DEEPCOLOR_PROGRESS" not in os.environ or ON_CLUSTER:
        return
    from deepcolor.config.run_progress import Job, RunProgress

    jobs = {
        job.jobid: Job(
            job.rule.name,
            job.resources.expected_s,
            job.threads,
            frozenset(each.jobid for each in workflow.dag.job_dependencies(job)),
            Path(job.log[0]) if job.rule.name == "train_model" else None,
        )
        for job in workflow.dag.needrun_jobs()
        if not job.is_norun
    }
    logger.addHandler(RunProgress(jobs, workflow.resource_settings.cores))


onstart:
    follow()
    # Snakemake's own handler waits for a lock that the interrupted thread may hold. In a thread it gets it.
    signal.signal(
        signal.SIGTERM,
        lambda *_: threading.Thread(target=workflow.scheduler.exit_gracefully).start(),
    )


def stop(error):
    """End with one line instead of Snakemake's traceback."""
    raise SystemExit(f"Error: {error}")


for option in ("cores", "local_cores", "nodes"):
    count = getattr(workflow.resource_settings, option)
    if count is not None and count < 1:
        # Snakemake would wait forever.
        name = {"nodes": "jobs"}.get(option, option.replace("_", "-"))
        stop(f"--{name} {count}: no job could start; give a number of 1 or more")


try:
    for path in [Path("config.yaml"), *workflow.overwrite_configfiles]:
        yaml_files.read_file(path)
except DeepColorError as error:
    stop(error)


configfile: "config.yaml"


try:
    update_config(config, configuration.read_arguments(workflow.config_settings.config))
    config = configuration.complete(config)
    environment.check_writable([config["results"], config["data"]])
    if workflow.is_main_process:  # Jobs on a cluster read no records.
        job_records.check(MetadataRecord.model_validate)
except DeepColorError as error:
    stop(error)

environment.use_this_python()
environment.isolate_jobs()
environment.keep_kernels(config["cache"])

RUNS = runs.runs(config)
# Folders of external predictions, by name; of some the pictures are made here, by a trained network.
EXTERNAL = models.external_predictions(config)
REFERENCES = models.references(config)
DATA_SETS = data_sets.data_sets(config)
SIZE = config["image_size"]
# Images of all data sets in use, by split, and those on which networks are scored.
IMAGES = data_sets.images(config)
EVALUATED = IMAGES[config["evaluation"]["split"]]
# Whether jobs are submitted to a cluster, and whether this is such a job.
ON_CLUSTER = workflow.resource_settings.nodes is not None or workflow.remote_exec
# The threads of a job that takes all cores. On a cluster there is no total, and a job must not take its
# node's.
CORES = None if ON_CLUSTER else workflow.resource_settings.cores
THREADS = CORES or config["threads"] or resources.CLUSTER_THREADS
# GPUs that a training takes, all in one node, and the resources of a rule that takes as many, or one. With
# "auto" a cluster is asked for them; on this machine it is seen whether there are any.
GPU_WANTED = config["accelerator"] != "cpu" and (
    config["accelerator"] == "cuda" or ON_CLUSTER or devices.visible_gpus()
)
GPUS = config["devices"] if GPU_WANTED else 0
ALL_GPUS, ONE_GPU = ({"gpu": GPUS, "nodes": 1}, {"gpu": 1}) if GPUS else ({}, {})
MANIFESTS = [f"<data>/{data_set.name}/manifest.csv" for data_set in DATA_SETS]
# Whether shards are written and read in the job's own scratch folder.
SCRATCH = "yes" if config["scratch"] else "no"


def job_resources(estimate, resumes=False):
    """Return the resources of a rule, which its jobs ask a cluster for.

    Every further attempt gets as much memory again, and as much time, unless it resumes.

    Args:
        estimate: Function from wildcards to the `Resources` of a job.
        resumes: Whether a further attempt resumes the one before.
    """
    return {
        # Of jobs that a cluster's profile groups, so many go at a time as it says.
        "side_by_side": 1,
        "mem_mb": lambda wildcards, attempt: attempt * estimate(wildcards).memory,
        "runtime": lambda wildcards, attempt: (1 if resumes else attempt)
        * estimate(wildcards).minutes,
        "disk_mb": lambda wildcards: estimate(wildcards).disk,
        # Nobody is asked for it: `follow` adds up how long a run takes.
        "expected_s": lambda wildcards: round(estimate(wildcards).seconds),
    }


# Of rules that make a figure or a page, and of those that go through the scores of all images.
LIGHT = job_resources(lambda wildcards: resources.Resources())
TABLES = job_resources(
    lambda wildcards: resources.tabulating(
        EVALUATED, runs=len(RUNS) + len(EXTERNAL), listed=sum(IMAGES.values())
    )
)


def code_of(script, module=None):
    """A parameter that runs a rule again when its code changes; no argument of the script.

    Args:
        script: Name of the script.
        module: Function from wildcards to a further "module:function" that the script imports.
    """

    def digest(wildcards):
        try:
            return dependencies.code_digest(script, (module(wildcards),) if module else ())
        except DeepColorError as error:
            stop(error)

    return digest


def caption(name):
    """The caption of a figure or table in `snakemake --report`."""
    return f"../workflow/report/{name}.rst"


def whole_config(wildcards):
    """Return the configuration as JSON; a plain text would be searched for wildcards."""
    return as_json(config)
