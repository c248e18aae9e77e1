"""Scores: what networks, external predictions and baselines reach on held-out images.

REQUIRES  trained networks, or folders of external predictions, and the shards of the data sets in use
MAKES     {results}/{run}/predictions.npy, metrics.json and per_image.csv, where {run} is a run, the
          name of external predictions, or baselines/{baseline};
          {results}/{run}/distances.json, with FID, KID and LPIPS, if their weights are configured;
          {results}/{run}/certainty.json and certainty.npy of runs with `target: classes`
"""

# CPU threads that score: one per 50 million pixels, so that small evaluations run next to each other.
SCORING_THREADS = max(1, min(THREADS, EVALUATED * SIZE**2 // 50_000_000))

# The further metrics of all runs; none where nothing is configured.
DISTANCES = (
    [f"<results>/{name}/distances.json" for name in [*(run.name for run in RUNS), *EXTERNAL]]
    if config["evaluation"]["inception_weights"] or config["evaluation"]["lpips_weights"]
    else []
)
# How sure the runs that predict color classes are.
CERTAINTY = [f"<results>/{name}/certainty.json" for name in CLASS_RUNS]


rule predict_images:
    """Predict the held-out images with a network, external predictions or a baseline."""
    message:
        "Predict {wildcards.run}"
    input:
        model=network_of,
        made=lambda w: f"<results>/{w.run}/pictures" if w.run in REFERENCES else [],
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
    output:
        predictions="<results>/{run}/predictions.npy",
    log:
        "<results>/logs/predict_images/{run}.log",
    benchmark:
        "<results>/benchmarks/predict_images/{run}.tsv"
    conda:
        prediction_environment
    threads: prediction_threads
    resources:
        **job_resources(prediction_resources),
        gpu=prediction_gpu,
        accelerator=config["accelerator"],
    params:
        code=code_of("predict_images"),
        # Functions, as a plain path is searched for wildcards.
        pictures=lambda w: as_json(EXTERNAL.get(w.run)),
        fingerprint=lambda w: fingerprint(None if w.run in REFERENCES else EXTERNAL.get(w.run)),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/predict_images.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --pictures {params.pictures:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --predictions {output.predictions:q} \
            2>&1 | tee {log:q}
        """


rule score_predictions:
    """Score predictions of the held-out images."""
    message:
        "Score {wildcards.run}"
    input:
        predictions="<results>/{run}/predictions.npy",
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
    output:
        metrics="<results>/{run}/metrics.json",
        per_image="<results>/{run}/per_image.csv",
    log:
        "<results>/logs/score_predictions/{run}.log",
    benchmark:
        "<results>/benchmarks/score_predictions/{run}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: SCORING_THREADS
    resources:
        **job_resources(lambda w: resources.scoring(EVALUATED, SIZE)),
    params:
        code=code_of("score_predictions"),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/score_predictions.py \
            --run {wildcards.run:q} \
            --predictions {input.predictions:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --threads {threads} \
            --metrics {output.metrics:q} \
            --per-image {output.per_image:q} \
            2>&1 | tee {log:q}
        """


rule extract_features:
    """Let InceptionV3 and LPIPS look at predictions and photographs."""
    message:
        "Extract features of {wildcards.run}"
    input:
        predictions=lambda w: (
            f"<results>/{w.run if w.run in EXTERNAL else run_of(w).name}/predictions.npy"
            if DISTANCES
            else stop(
                "evaluation.inception_weights and evaluation.lpips_weights are null; set one"
            )
        ),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
        # A file of weights that changes is another metric; Keras's own is verified when it is read.
        # Functions, as a plain path is searched for wildcards and shown by `snakemake --report`.
        inception=lambda w: (
            []
            if config["evaluation"]["inception_weights"] in (None, "imagenet")
            else config["evaluation"]["inception_weights"]
        ),
        lpips=lambda w: config["evaluation"]["lpips_weights"] or [],
    output:
        features=temp("<results>/{run}/features.npy"),
        networks=temp("<results>/{run}/features.json"),
    log:
        "<results>/logs/extract_features/{run}.log",
    benchmark:
        "<results>/benchmarks/extract_features/{run}.tsv"
    conda:
        training_environment
    threads: THREADS
    resources:
        **job_resources(lambda w: resources.extracting_features(EVALUATED, SIZE, GPUS)),
        **ONE_GPU,
        accelerator=config["accelerator"],
    params:
        code=code_of("extract_features"),
        split=config["evaluation"]["split"],
        inception=lambda w: as_json(config["evaluation"]["inception_weights"]),
    shell:
        r"""
        python workflow/scripts/extract_features.py \
            --run {wildcards.run:q} \
            --predictions {input.predictions:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --inception-weights {params.inception:q} \
            --lpips-weights {input.lpips:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --features {output.features:q} \
            --networks {output.networks:q} \
            2>&1 | tee {log:q}
        """


rule measure_distances:
    """Take FID, KID and LPIPS between predictions and photographs."""
    message:
        "Take further metrics of {wildcards.run}"
    input:
        features="<results>/{run}/features.npy",
        networks="<results>/{run}/features.json",
    output:
        distances="<results>/{run}/distances.json",
    log:
        "<results>/logs/measure_distances/{run}.log",
    benchmark:
        "<results>/benchmarks/measure_distances/{run}.tsv"
    conda:
        "../envs/data.yaml"
    threads: THREADS
    resources:
        **job_resources(lambda w: resources.measuring_distances(EVALUATED)),
    params:
        code=code_of("measure_distances"),
        seed=config["seed"],
    shell:
        r"""
        python workflow/scripts/measure_distances.py \
            --run {wildcards.run:q} \
            --features {input.features:q} \
            --networks {input.networks:q} \
            --seed {params.seed:q} \
            --distances {output.distances:q} \
            2>&1 | tee {log:q}
        """


rule measure_certainty:
    """Measure how sure a network of color classes is, and how often it is right."""
    message:
        "Measure the certainty of {wildcards.run}"
    input:
        model=class_network_of,
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
    output:
        certainty="<results>/{run}/certainty.json",
        maps="<results>/{run}/certainty.npy",
    log:
        "<results>/logs/measure_certainty/{run}.log",
    benchmark:
        "<results>/benchmarks/measure_certainty/{run}.tsv"
    conda:
        training_environment
    threads: prediction_threads
    resources:
        **job_resources(prediction_resources),
        **ONE_GPU,
        accelerator=config["accelerator"],
    params:
        code=code_of("measure_certainty"),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/measure_certainty.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --certainty {output.certainty:q} \
            --maps {output.maps:q} \
            2>&1 | tee {log:q}
        """
