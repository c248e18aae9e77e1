"""Samples: the held-out images that figures show, and the inputs for external predictions.

REQUIRES  the shards of the data sets in use, and the scores of the compared runs
MAKES     {results}/samples.npz and extremes.npz; {results}/inputs/, if asked for
"""


rule draw_samples:
    """Draw the images kept aside that the figures show."""
    message:
        "Draw {params.images} {params.split} images"
    input:
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
    output:
        samples="<results>/samples.npz",
    log:
        "<results>/logs/draw_samples/samples.log",
    benchmark:
        "<results>/benchmarks/draw_samples/samples.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **job_resources(lambda w: resources.reading(EVALUATED, SIZE, rate=500)),
    params:
        code=code_of("draw_samples"),
        split=config["evaluation"]["split"],
        images=config["report"]["images"],
        seed=config["seed"],
    shell:
        r"""
        python workflow/scripts/draw_samples.py \
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
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
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
        **job_resources(lambda w: resources.reading(EVALUATED, SIZE, rate=500)),
    params:
        code=code_of("draw_extremes"),
        runs=compared(),
        split=config["evaluation"]["split"],
        images=config["report"]["extremes"],
    shell:
        r"""
        python workflow/scripts/draw_extremes.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --runs {params.runs:q} \
            --scores {input.scores:q} \
            --images {params.images:q} \
            --extremes {output.extremes:q} \
            2>&1 | tee {log:q}
        """


rule export_inputs:
    """Write the inputs as grayscale images, for external predictions."""
    message:
        "Export the inputs"
    input:
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
    output:
        folder=directory("<results>/inputs"),
    log:
        "<results>/logs/export_inputs/inputs.log",
    benchmark:
        "<results>/benchmarks/export_inputs/inputs.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **job_resources(lambda w: resources.reading(EVALUATED, SIZE)),
    params:
        code=code_of("export_inputs"),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/export_inputs.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --folder {output.folder:q} \
            2>&1 | tee {log:q}
        """
