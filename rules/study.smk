"""The user study: its material, and what people's answers say.

REQUIRES  predictions, and the shards of the data sets in use; {results}/study/answers.csv, which
          `deepcolor study export` or `deepcolor study import` writes
MAKES     {results}/study/study.json and pictures/, for `deepcolor study serve`;
          {results}/study/acceptance.json, figures/acceptance.svg and tables/acceptance*.csv
"""

# What the report shows of the answers.
ACCEPTANCE = [
    "<results>/study/acceptance.json",
    "<results>/tables/acceptance.csv",
    "<results>/tables/acceptance_images.csv",
]


rule draw_study:
    """Draw the photographs of the user study, and export its pictures and its design."""
    message:
        "Draw the user study"
    input:
        indexes=indexes(),
        shards=shard_files(".tfrecord"),
        contents=shard_files(".json"),
        predictions=lambda w: [f"<results>/{run}/predictions.npy" for run in studied(w)],
    output:
        study="<results>/study/study.json",
        pictures=directory("<results>/study/pictures"),
    log:
        "<results>/logs/draw_study/study.log",
    benchmark:
        "<results>/benchmarks/draw_study/study.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **job_resources(lambda w: resources.reading(EVALUATED, SIZE, rate=200)),
    params:
        code=code_of("draw_study"),
        split=config["evaluation"]["split"],
        runs=studied,
        # A function, as a plain text is searched for wildcards.
        settings=lambda w: as_json(config["study"]),
        seed=config["seed"],
    shell:
        r"""
        python workflow/scripts/draw_study.py \
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


rule analyze_study:
    """Analyze the answers to the user study, with intervals over people and photographs."""
    message:
        "Analyze the answers to the user study"
    input:
        answers="<results>/study/answers.csv",
    output:
        acceptance="<results>/study/acceptance.json",
        table=report(
            "<results>/tables/acceptance.csv",
            category="Tables",
            caption=caption("acceptance"),
        ),
        images="<results>/tables/acceptance_images.csv",
    log:
        "<results>/logs/analyze_study/acceptance.log",
    benchmark:
        "<results>/benchmarks/analyze_study/acceptance.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("analyze_study"),
        # A function, as a plain text is searched for wildcards.
        rules=lambda w: as_json(config["study"]["exclude"]),
    shell:
        r"""
        python workflow/scripts/analyze_study.py \
            --answers {input.answers:q} \
            --rules {params.rules:q} \
            --acceptance {output.acceptance:q} \
            --table {output.table:q} \
            --images {output.images:q} \
            2>&1 | tee {log:q}
        """


rule plot_acceptance:
    """Plot what people took for real photographs."""
    message:
        "Plot the acceptance"
    input:
        acceptance="<results>/study/acceptance.json",
    output:
        figure=report(
            "<results>/figures/acceptance.svg",
            category="Figures",
            caption=caption("acceptance"),
        ),
    log:
        "<results>/logs/plot_acceptance/acceptance.log",
    benchmark:
        "<results>/benchmarks/plot_acceptance/acceptance.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_acceptance"),
    shell:
        r"""
        python workflow/scripts/plot_acceptance.py \
            --acceptance {input.acceptance:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """
