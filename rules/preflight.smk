"""Preflight: check sources, weights, disk and memory; estimate the cost of a run.

REQUIRES  nothing
MAKES     nothing that stays; `snakemake --cores all check_setup` prints what it finds
"""

import time

# Makes the rules run whenever they are asked for.
NOW = time.time_ns()


rule check_data_set:
    """See whether a data set can be fetched, and what that will take."""
    message:
        "Look at the source of {wildcards.data_set}"
    output:
        findings=temp("<results>/checks/data_set-{data_set}.json"),
    log:
        "<results>/logs/check_data_set/{data_set}.log",
    benchmark:
        "<results>/benchmarks/check_data_set/{data_set}.tsv"
    conda:
        environment_of
    resources:
        **LIGHT,
    params:
        code=code_of("check_data_set", lambda w: data_set_of(w).lister),
        source=lambda w: data_set_of(w).lister,
        options=lambda w: as_json(data_set_of(w).options),
        images=lambda w: as_json(data_set_of(w).images),
        seed=config["seed"],
        cache=config["cache"],
        # No argument: what was found out before does not count.
        now=NOW,
    shell:
        r"""
        python workflow/scripts/check_data_set.py \
            --data-set {wildcards.data_set:q} \
            --source {params.source:q} \
            --options {params.options:q} \
            --images {params.images:q} \
            --seed {params.seed:q} \
            --cache {params.cache:q} \
            --findings {output.findings:q} \
            2>&1 | tee {log:q}
        """


rule check_training:
    """See whether a network can be trained here, and how fast."""
    message:
        "Try {wildcards.model} for some steps"
    output:
        findings=temp("<results>/checks/training-{model}.json"),
    log:
        "<results>/logs/check_training/{model}.log",
    benchmark:
        "<results>/benchmarks/check_training/{model}.tsv"
    conda:
        training_environment
    threads: lambda w: training_threads(runs_of(w.model)[-1])
    resources:
        **job_resources(
            lambda w: resources.trial_training(runs_of(w.model)[-1].architecture, SIZE, GPUS)
        ),
        **ALL_GPUS,
    params:
        code=code_of("check_training", lambda w: runs_of(w.model)[-1].builder),
        architecture=lambda w: runs_of(w.model)[-1].builder,
        options=lambda w: as_json(runs_of(w.model)[-1].options),
        training=lambda w: as_json(runs_of(w.model)[-1].training),
        image_size=SIZE,
        accelerator=config["accelerator"],
        devices=config["devices"],
        now=NOW,
    shell:
        r"""
        python workflow/scripts/check_training.py \
            --model {wildcards.model:q} \
            --architecture {params.architecture:q} \
            --options {params.options:q} \
            --training {params.training:q} \
            --image-size {params.image_size:q} \
            --accelerator {params.accelerator:q} \
            --devices {params.devices:q} \
            --threads {threads} \
            --findings {output.findings:q} \
            2>&1 | tee {log:q}
        """


rule check_setup:
    """Say whether all is there that a run needs, and what it will cost."""
    message:
        "Add up what the run needs"
    input:
        data_sets=[f"<results>/checks/data_set-{each.name}.json" for each in DATA_SETS],
        models=[f"<results>/checks/training-{run.model}.json" for run in longest_runs()],
    log:
        "<results>/logs/check_setup/setup.log",
    conda:
        "../envs/data.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("check_setup"),
        images=as_json(IMAGES),
        runs=as_json([planned_training(run) for run in RUNS]),
        predictions=len(RUNS) + len(EXTERNAL) + len(BASELINES),
        split=config["evaluation"]["split"],
        image_size=SIZE,
        data=config["data"],
        cache=config["cache"],
        results=lambda w, input: Path(input.data_sets[0]).parent.parent,
    shell:
        r"""
        python workflow/scripts/check_setup.py \
            --data-sets {input.data_sets:q} \
            --models {input.models:q} \
            --images {params.images:q} \
            --runs {params.runs:q} \
            --predictions {params.predictions:q} \
            --split {params.split:q} \
            --image-size {params.image_size:q} \
            --data {params.data:q} \
            --cache {params.cache:q} \
            --results {params.results:q} \
            2>&1 | tee {log:q}
        """
