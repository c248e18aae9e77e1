"""Scores: what networks, other programs and baselines reach on images kept aside.

    REQUIRES  trained networks, and the shards and manifests of the data sets in use
    MAKES     {results}/{run}/metrics.json, per_image.csv and predictions.npy;
              {results}/baselines/{baseline}/metrics.json and per_image.csv;
              {results}/samples.npz and extremes.npz, the images that the figures show;
              {results}/inputs/, for other programs, if asked for
"""

MANIFESTS = [f"<data>/{data_set.name}/manifest.csv" for data_set in DATA_SETS]


ruleorder: evaluate_baselines > evaluate_pictures > evaluate_model


rule evaluate_model:
    """Predict images kept aside with a network and score the predictions."""
    message:
        "Evaluate {wildcards.run}"
    input:
        code=code("evaluate_model"),
        model="<results>/{run}/model.keras",
        indexes=indexes(),
        manifests=MANIFESTS,
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
        **demand(lambda w: demands.evaluating(run_of(w).architecture, EVALUATED, SIZE, GPUS)),
        **ONE_GPU,
        accelerator=config["accelerator"],
    params:
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/evaluate_model.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --indexes {input.indexes:q} \
            --manifests {input.manifests:q} \
            --split {params.split:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --metrics {output.metrics:q} \
            --per-image {output.per_image:q} \
            --predictions {output.predictions:q} \
            2>&1 | tee {log:q}
        """


rule evaluate_pictures:
    """Score the pictures that another program has made of the inputs."""
    message:
        "Evaluate the pictures of {wildcards.run}"
    input:
        code=code("evaluate_pictures"),
        indexes=indexes(),
        manifests=MANIFESTS,
        shards=shard_files(".tfrecord"),
    output:
        metrics="<results>/{run}/metrics.json",
        per_image="<results>/{run}/per_image.csv",
        predictions="<results>/{run}/predictions.npy",
    wildcard_constraints:
        # Of these runs alone; there may be none, and then nothing matches.
        run="|".join(PICTURES) or "(?!)",
    log:
        "<results>/logs/evaluate_pictures/{run}.log",
    benchmark:
        "<results>/benchmarks/evaluate_pictures/{run}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **demand(lambda w: demands.reading(EVALUATED, SIZE, rate=5)),
    params:
        pictures=lambda w: as_json(PICTURES[w.run]),
        fingerprint=lambda w: fingerprint(PICTURES[w.run]),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/evaluate_pictures.py \
            --run {wildcards.run:q} \
            --pictures {params.pictures:q} \
            --indexes {input.indexes:q} \
            --manifests {input.manifests:q} \
            --split {params.split:q} \
            --threads {threads} \
            --metrics {output.metrics:q} \
            --per-image {output.per_image:q} \
            --predictions {output.predictions:q} \
            2>&1 | tee {log:q}
        """


rule evaluate_baselines:
    """Score what needs no network, such as the grayscale input itself, as if it were a prediction."""
    message:
        "Evaluate the baselines"
    input:
        code=code("evaluate_baselines"),
        indexes=indexes(),
        manifests=MANIFESTS,
        shards=shard_files(".tfrecord"),
    output:
        metrics=[f"<results>/baselines/{name}/metrics.json" for name in BASELINES],
        per_image=[f"<results>/baselines/{name}/per_image.csv" for name in BASELINES],
    log:
        "<results>/logs/evaluate_baselines/baselines.log",
    benchmark:
        "<results>/benchmarks/evaluate_baselines/baselines.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **demand(lambda w: demands.scoring_baselines(IMAGES["training"], EVALUATED, SIZE)),
    params:
        baselines=list(BASELINES),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/evaluate_baselines.py \
            --baselines {params.baselines:q} \
            --indexes {input.indexes:q} \
            --manifests {input.manifests:q} \
            --split {params.split:q} \
            --threads {threads} \
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
    resources:
        **demand(lambda w: demands.reading(EVALUATED, SIZE, rate=500)),
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


rule draw_extremes:
    """Draw the images that networks color best and worst."""
    message:
        "Draw the best and the worst images"
    input:
        code=code("draw_extremes"),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        scores=[f"<results>/{name}/per_image.csv" for name in compared()],
    output:
        extremes="<results>/extremes.npz",
    log:
        "<results>/logs/draw_extremes/extremes.log",
    benchmark:
        "<results>/benchmarks/draw_extremes/extremes.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **demand(lambda w: demands.reading(EVALUATED, SIZE, rate=500)),
    params:
        runs=compared(),
        split=config["evaluation"]["split"],
        images=config["report"]["extremes"],
    shell:
        r"""
        python workflow/draw_extremes.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --runs {params.runs:q} \
            --scores {input.scores:q} \
            --images {params.images:q} \
            --extremes {output.extremes:q} \
            2>&1 | tee {log:q}
        """


rule export_inputs:
    """Write the inputs as grayscale pictures, for other programs to colorize."""
    message:
        "Export the inputs"
    input:
        code=code("export_inputs"),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
    output:
        folder=directory("<results>/inputs"),
    log:
        "<results>/logs/export_inputs/inputs.log",
    benchmark:
        "<results>/benchmarks/export_inputs/inputs.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **demand(lambda w: demands.reading(EVALUATED, SIZE)),
    params:
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/export_inputs.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --folder {output.folder:q} \
            2>&1 | tee {log:q}
        """
