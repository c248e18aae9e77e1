"""Scores: what the networks, and the grayscale input itself, reach on images kept aside.

    REQUIRES  trained networks, and the shards of the data sets in use
    MAKES     {results}/{run}/metrics.json, per_image.csv and predictions.npy;
              {results}/baselines/grayscale-copy/metrics.json and per_image.csv;
              {results}/samples.npz, the images that the figures show
"""


rule evaluate_model:
    """Predict images kept aside with a network and score the predictions."""
    message:
        "Evaluate {wildcards.run}"
    input:
        code=code("evaluate_model"),
        model="<results>/{run}/model.keras",
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
    output:
        metrics="<results>/{run}/metrics.json",
        per_image="<results>/{run}/per_image.csv",
        predictions="<results>/{run}/predictions.npy",
    log:
        "<results>/logs/evaluate_model/{run}.log",
    benchmark:
        "<results>/benchmarks/evaluate_model/{run}.tsv"
    conda:
        training_environment
    threads: THREADS
    resources:
        gpu=min(1, GPUS),
        accelerator=config["accelerator"],
    params:
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/evaluate_model.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --metrics {output.metrics:q} \
            --per-image {output.per_image:q} \
            --predictions {output.predictions:q} \
            2>&1 | tee {log:q}
        """


rule evaluate_baseline:
    """Score the grayscale input itself, as if it were a prediction."""
    message:
        "Evaluate the grayscale copy"
    input:
        code=code("evaluate_baseline"),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
    output:
        metrics="<results>/baselines/grayscale-copy/metrics.json",
        per_image="<results>/baselines/grayscale-copy/per_image.csv",
    log:
        "<results>/logs/evaluate_baseline/grayscale-copy.log",
    benchmark:
        "<results>/benchmarks/evaluate_baseline/grayscale-copy.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/evaluate_baseline.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --metrics {output.metrics:q} \
            --per-image {output.per_image:q} \
            2>&1 | tee {log:q}
        """


rule draw_samples:
    """Draw the images kept aside that the figures show."""
    message:
        "Draw {params.images} {params.split} images"
    input:
        code=code("draw_samples"),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
    output:
        samples="<results>/samples.npz",
    log:
        "<results>/logs/draw_samples/samples.log",
    benchmark:
        "<results>/benchmarks/draw_samples/samples.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        split=config["evaluation"]["split"],
        images=config["report"]["images"],
        seed=config["seed"],
    shell:
        r"""
        python workflow/draw_samples.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --images {params.images:q} \
            --seed {params.seed:q} \
            --samples {output.samples:q} \
            2>&1 | tee {log:q}
        """
