"""The user study: its material, and what people's answers say.

    REQUIRES  predictions, and the shards of the data sets in use; {results}/study/answers.csv, which
              `deepcolor study export` or `deepcolor study import` writes
    MAKES     {results}/study/study.json and pictures/, for `deepcolor study serve`;
              {results}/study/acceptance.json, figures/acceptance.svg and tables/acceptance*.csv
"""


rule draw_study:
    """Draw the photographs of the user study, and export its pictures and its design."""
    message:
        "Draw the user study"
    input:
        code=code("draw_study"),
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        predictions=[f"<results>/{run}/predictions.npy" for run in studied()],
    output:
        study="<results>/study/study.json",
        pictures=directory("<results>/study/pictures"),
    log:
        "<results>/logs/draw_study/study.log",
    benchmark:
        "<results>/benchmarks/draw_study/study.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        split=config["evaluation"]["split"],
        runs=studied(),
        # A function, as a plain text is searched for wildcards.
        settings=lambda w: json.dumps(config["study"]),
        seed=config["seed"],
    shell:
        r"""
        python workflow/draw_study.py \
            --indexes {input.indexes:q} \
            --split {params.split:q} \
            --runs {params.runs:q} \
            --predictions {input.predictions:q} \
            --settings {params.settings:q} \
            --seed {params.seed:q} \
            --study {output.study:q} \
            --pictures {output.pictures:q} \
            2>&1 | tee {log:q}
        """
