"""Further metrics, none of them by default: FID and KID, and LPIPS.

    REQUIRES  predictions, the shards of the data sets in use, and the weights of other networks:
              evaluation.inception_weights, evaluation.lpips_weights
    MAKES     {results}/{run}/distances.json
"""

# The further metrics of all runs; none where nothing is configured.
DISTANCES = (
    [f"<results>/{name}/distances.json" for name in [*(run.name for run in RUNS), *PICTURES]]
    if config["evaluation"]["inception_weights"] or config["evaluation"]["lpips_weights"]
    else []
)


rule measure_distances:
    """Take FID, KID and LPIPS between predictions and photographs."""
    message:
        "Take further metrics of {wildcards.run}"
    input:
        code=code("measure_distances"),
        predictions=lambda w: (
            f"<results>/{w.run if w.run in PICTURES else run_of(w).name}/predictions.npy"
            if DISTANCES
            else stop("evaluation.inception_weights and evaluation.lpips_weights are null; set one")
        ),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        # A file of weights that changes is another metric; Keras's own is verified when it is read.
        # Functions, as a plain path is searched for wildcards and shown by `snakemake --report`.
        inception=lambda w: (
            []
            if config["evaluation"]["inception_weights"] in (None, "imagenet")
            else config["evaluation"]["inception_weights"]
        ),
        lpips=lambda w: config["evaluation"]["lpips_weights"] or [],
    output:
        distances="<results>/{run}/distances.json",
    log:
        "<results>/logs/measure_distances/{run}.log",
    benchmark:
        "<results>/benchmarks/measure_distances/{run}.tsv"
    conda:
        training_environment
    threads: THREADS
    resources:
        **demand(lambda w: demands.measuring_distances(EVALUATED, SIZE, GPUS)),
        **ONE_GPU,
        accelerator=config["accelerator"],
    params:
        split=config["evaluation"]["split"],
        inception=lambda w: as_json(config["evaluation"]["inception_weights"]),
        seed=config["seed"],
    shell:
        r"""
        python workflow/measure_distances.py \
            --run {wildcards.run:q} \
            --predictions {input.predictions:q} \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --inception-weights {params.inception:q} \
            --lpips-weights {input.lpips:q} \
            --seed {params.seed:q} \
            --accelerator {resources.accelerator:q} \
            --threads {threads} \
            --distances {output.distances:q} \
            2>&1 | tee {log:q}
        """
