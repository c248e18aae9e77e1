"""Tables: the scores, trainings and data sets of all runs, and comparisons of runs.

REQUIRES  metrics and scores of all runs, their training records, and the data sets' manifests
MAKES     {results}/tables/*.csv
"""

# By run of a variant, the model that it varies: how the report groups runs, no part of their training.
VARIES = as_json({run.name: run.varies for run in RUNS if run.varies})

RECORDS = [f"<results>/{run.name}/training.json" for run in RUNS]


rule tabulate_metrics:
    """Gather the metrics of all runs and baselines."""
    message:
        "Tabulate the metrics"
    input:
        metrics=files_of_all("metrics.json"),
    output:
        table=report(
            "<results>/tables/metrics.csv",
            category="Tables",
            caption=caption("metrics"),
        ),
    log:
        "<results>/logs/tabulate_metrics/metrics.log",
    benchmark:
        "<results>/benchmarks/tabulate_metrics/metrics.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("tabulate_metrics"),
    shell:
        r"""
        python workflow/scripts/tabulate_metrics.py \
            --metrics {input.metrics:q} \
            --table {output.table:q} \
            2>&1 | tee {log:q}
        """


rule tabulate_training:
    """Gather the records of all trainings."""
    message:
        "Tabulate the trainings"
    input:
        records=RECORDS,
    output:
        table=report(
            "<results>/tables/training.csv",
            category="Tables",
            caption=caption("training"),
        ),
    log:
        "<results>/logs/tabulate_training/training.log",
    benchmark:
        "<results>/benchmarks/tabulate_training/training.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("tabulate_training"),
        varies=VARIES,
    shell:
        r"""
        python workflow/scripts/tabulate_training.py \
            --records {input.records:q} \
            --varies {params.varies:q} \
            --table {output.table:q} \
            2>&1 | tee {log:q}
        """


rule tabulate_comparisons:
    """Set variants beside what they vary, and seeds and data sets side by side."""
    message:
        "Tabulate what changes, seeds and data sets make"
    input:
        metrics="<results>/tables/metrics.csv",
        records=RECORDS,
    output:
        ablations=report(
            "<results>/tables/ablations.csv",
            category="Tables",
            caption=caption("ablations"),
        ),
        seeds=report(
            "<results>/tables/seeds.csv",
            category="Tables",
            caption=caption("seeds"),
        ),
        transfer=report(
            "<results>/tables/transfer.csv",
            category="Tables",
            caption=caption("transfer"),
        ),
    log:
        "<results>/logs/tabulate_comparisons/comparisons.log",
    benchmark:
        "<results>/benchmarks/tabulate_comparisons/comparisons.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("tabulate_comparisons"),
        varies=VARIES,
    shell:
        r"""
        python workflow/scripts/tabulate_comparisons.py \
            --metrics {input.metrics:q} \
            --records {input.records:q} \
            --varies {params.varies:q} \
            --ablations {output.ablations:q} \
            --seeds {output.seeds:q} \
            --transfer {output.transfer:q} \
            2>&1 | tee {log:q}
        """


rule tabulate_data:
    """Gather what is known of the data sets, and whom to credit."""
    message:
        "Tabulate the data sets"
    input:
        about=[f"<data>/{data_set.name}/data_set.json" for data_set in DATA_SETS],
        manifests=[f"<data>/{data_set.name}/manifest.csv" for data_set in DATA_SETS],
    output:
        table=report(
            "<results>/tables/data_sets.csv",
            category="Tables",
            caption=caption("data_sets"),
        ),
        credits=report(
            "<results>/tables/credits.csv",
            category="Tables",
            caption=caption("credits"),
        ),
    log:
        "<results>/logs/tabulate_data/data_sets.log",
    benchmark:
        "<results>/benchmarks/tabulate_data/data_sets.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("tabulate_data"),
    shell:
        r"""
        python workflow/scripts/tabulate_data.py \
            --about {input.about:q} \
            --manifests {input.manifests:q} \
            --table {output.table:q} \
            --credits {output.credits:q} \
            2>&1 | tee {log:q}
        """


rule compare_runs:
    """Compare runs on the same images: paired differences, with intervals and tests."""
    message:
        "Compare the runs"
    input:
        scores=files_of_all("per_image.csv"),
        records=RECORDS,
    output:
        table=report(
            "<results>/tables/comparisons.csv",
            category="Tables",
            caption=caption("comparisons"),
        ),
    log:
        "<results>/logs/compare_runs/comparisons.log",
    benchmark:
        "<results>/benchmarks/compare_runs/comparisons.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("compare_runs"),
        pictures=list(EXTERNAL),
        varies=VARIES,
    shell:
        r"""
        python workflow/scripts/compare_runs.py \
            --scores {input.scores:q} \
            --records {input.records:q} \
            --pictures {params.pictures:q} \
            --varies {params.varies:q} \
            --table {output.table:q} \
            2>&1 | tee {log:q}
        """
