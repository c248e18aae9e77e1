"""Training: one job per run, the longer run of a model after the shorter one.

    REQUIRES  the shards of the data sets in use
    MAKES     {results}/{run}/model.keras, history.csv, training.json and state.safetensors; undeclared
              beside them, while it trains, a backup of every finished epoch
"""


rule train_model:
    """Train a network up to a number of epochs, from where the next shorter run ended."""
    message:
        "Train {wildcards.run}"
    input:
        code=lambda w: code("train_model", run_of(w).builder),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        start=lambda w: (
            f"<results>/{run_of(w).model}_{run_of(w).shorter}/state.safetensors"
            if run_of(w).shorter
            else []
        ),
        weights=lambda w: (
            []
            if run_of(w).options.get("weights", "none") in ("imagenet", "none")
            else run_of(w).options["weights"]
        ),
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
        "../envs/tensorflow.yaml"
    threads: THREADS
    resources:
        gpu=1,
    params:
        architecture=lambda w: run_of(w).builder,
        options=lambda w: json.dumps(run_of(w).options),
        image_size=SIZE,
        batch_norm_momentum=lambda w: run_of(w).training["batch_norm_momentum"],
        epochs=lambda w: run_of(w).epochs,
        optimizer=lambda w: run_of(w).training["optimizer"],
        learning_rate=lambda w: run_of(w).training["learning_rate"],
        loss=lambda w: run_of(w).training["loss"],
        batch_size=lambda w: run_of(w).training["batch_size"],
        augmentation=lambda w: run_of(w).training["augmentation"],
        seed=config["seed"],
    shell:
        r"""
        python workflow/train_model.py \
            --run {wildcards.run:q} \
            --architecture {params.architecture:q} \
            --options {params.options:q} \
            --image-size {params.image_size:q} \
            --batch-norm-momentum {params.batch_norm_momentum:q} \
            --indexes {input.indexes:q} \
            --epochs {params.epochs:q} \
            --start {input.start:q} \
            --optimizer {params.optimizer:q} \
            --learning-rate {params.learning_rate:q} \
            --loss {params.loss:q} \
            --batch-size {params.batch_size:q} \
            --augmentation {params.augmentation:q} \
            --seed {params.seed:q} \
            --threads {threads} \
            --model {output.model:q} \
            --history {output.history:q} \
            --record {output.record:q} \
            --state {output.state:q} \
            2>&1 | tee {log:q}
        """
