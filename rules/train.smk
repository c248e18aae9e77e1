"""Training: one job per run, the longer run of a model after the shorter one.

REQUIRES  the shards of the data sets in use
MAKES     {results}/{run}/model.keras, history.csv, training.json and state.safetensors; undeclared
          beside them, while it trains, a backup of the last epoch (with early stopping also of
          the best), and TensorBoard's logs if asked for
"""


rule train_model:
    """Train a network up to a number of epochs, from where the next shorter run ended."""
    message:
        "Train {wildcards.run}"
    input:
        indexes=lambda w: indexes(run_of(w).train_on),
        shards=lambda w: shard_files(".tfrecord", run_of(w).train_on),
        start=lambda w: (
            f"<results>/{run_of(w).stem}_{run_of(w).shorter}/state.safetensors"
            if run_of(w).shorter
            else []
        ),
        weights=lambda w: weights_files(run_of(w)),
    output:
        model="<results>/{run}/model.keras",
        history="<results>/{run}/history.csv",
        record="<results>/{run}/training.json",
        state="<results>/{run}/state.safetensors",
    log:
        "<results>/logs/train_model/{run}.log",
    benchmark:
        "<results>/benchmarks/train_model/{run}.tsv"
    conda:
        training_environment
    # Before all else: trainings last longest, and other jobs fill the cores beside the last of them.
    priority: 1
    threads: lambda w: training_threads(run_of(w))
    resources:
        **job_resources(lambda w: training_resources(run_of(w)), resumes=True),
        **ALL_GPUS,
        # No parameter: what has been trained on a CPU is not thrown away for a GPU.
        accelerator=config["accelerator"],
        scratch=SCRATCH,
    params:
        code=code_of("train_model", lambda w: run_of(w).builder),
        model=lambda w: run_of(w).model,
        architecture=lambda w: run_of(w).builder,
        options=lambda w: as_json(run_of(w).options),
        training=lambda w: as_json(run_of(w).training),
        image_size=SIZE,
        train_on=lambda w: run_of(w).train_on,
        epochs=lambda w: run_of(w).epochs,
        restart_reason=lambda w: run_of(w).restart_reason,
        seed=lambda w: run_of(w).seed,
        devices=config["devices"],
    shell:
        r"""
        python workflow/scripts/train_model.py \
            --run {wildcards.run:q} \
            --model-name {params.model:q} \
            --architecture {params.architecture:q} \
            --options {params.options:q} \
            --training {params.training:q} \
            --image-size {params.image_size:q} \
            --train-on {params.train_on:q} \
            --indexes {input.indexes:q} \
            --epochs {params.epochs:q} \
            --start {input.start:q} \
            --restart-reason {params.restart_reason:q} \
            --seed {params.seed:q} \
            --accelerator {resources.accelerator:q} \
            --devices {params.devices:q} \
            --threads {threads} \
            --scratch {resources.scratch:q} \
            --code {params.code:q} \
            --model {output.model:q} \
            --history {output.history:q} \
            --record {output.record:q} \
            --state {output.state:q} \
            2>&1 | tee {log:q}
        """
