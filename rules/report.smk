"""Figures, tables, and the report that shows them.

    REQUIRES  metrics, predictions, histories and records of all runs, and the data sets' manifests
    MAKES     {results}/figures/*, {results}/tables/*, {results}/report.html
"""

# By run of a variant, the model that it varies: how the report groups runs, no part of their training.
VARIES = json.dumps({run.name: run.varies for run in RUNS if run.varies})


rule plot_curves:
    """Plot loss, PSNR and accuracy of a model's longest training."""
    message:
        "Plot the curves of {wildcards.model}"
    input:
        code=code("plot_curves"),
        history=lambda w: f"<results>/{runs_of(w.model)[-1].name}/history.csv",
    output:
        figure=report("<results>/figures/curves-{model}.svg", category="Figures"),
    log:
        "<results>/logs/plot_curves/{model}.log",
    benchmark:
        "<results>/benchmarks/plot_curves/{model}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        # A run that starts anew has no epochs in common with the shorter ones.
        milestones=lambda w: [run.epochs for run in runs_of(w.model)][
            -1 if runs_of(w.model)[-1].anew else 0 :
        ],
    shell:
        r"""
        python workflow/plot_curves.py \
            --history {input.history:q} \
            --milestones {params.milestones:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule plot_costs:
    """Plot what networks reach against what they cost."""
    message:
        "Plot quality against cost"
    input:
        code=code("plot_costs"),
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
    output:
        figure=report("<results>/figures/quality_against_cost.svg", category="Figures"),
    log:
        "<results>/logs/plot_costs/quality_against_cost.log",
    benchmark:
        "<results>/benchmarks/plot_costs/quality_against_cost.tsv"
    conda:
        "../envs/report.yaml"
    shell:
        r"""
        python workflow/plot_costs.py \
            --metrics {input.metrics:q} \
            --training {input.training:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule plot_grid:
    """Set input, predictions and photographs side by side."""
    message:
        "Plot the grid of {wildcards.grid}"
    input:
        code=code("plot_grid"),
        samples="<results>/samples.npz",
        baseline="<results>/baselines/grayscale-copy/per_image.csv",
        predictions=lambda w: [f"<results>/{run.name}/predictions.npy" for run in runs_of_grid(w)],
        scores=lambda w: [f"<results>/{run.name}/per_image.csv" for run in runs_of_grid(w)],
    output:
        figure=report("<results>/figures/grid-{grid}.png", category="Figures"),
    log:
        "<results>/logs/plot_grid/{grid}.log",
    benchmark:
        "<results>/benchmarks/plot_grid/{grid}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        runs=lambda w: [run.name for run in runs_of_grid(w)],
    shell:
        r"""
        python workflow/plot_grid.py \
            --samples {input.samples:q} \
            --baseline {input.baseline:q} \
            --runs {params.runs:q} \
            --predictions {input.predictions:q} \
            --scores {input.scores:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule plot_preprocessing:
    """Show photographs of a data set before and after preprocessing."""
    message:
        "Plot photographs of {wildcards.data_set} before and after preprocessing"
    input:
        code=code("plot_preprocessing"),
        manifest=lambda w: f"<data>/{data_set_of(w).name}/manifest.csv",
    output:
        figure=report("<results>/figures/preprocessing-{data_set}.png", category="Figures"),
    log:
        "<results>/logs/plot_preprocessing/{data_set}.log",
    benchmark:
        "<results>/benchmarks/plot_preprocessing/{data_set}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        image_size=SIZE,
        images=config["report"]["images"],
        seed=config["seed"],
    shell:
        r"""
        python workflow/plot_preprocessing.py \
            --manifest {input.manifest:q} \
            --image-size {params.image_size:q} \
            --images {params.images:q} \
            --seed {params.seed:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule tabulate_metrics:
    """Gather the metrics of all runs and of the grayscale copy."""
    message:
        "Tabulate the metrics"
    input:
        code=code("tabulate_metrics"),
        metrics=["<results>/baselines/grayscale-copy/metrics.json"]
        + [f"<results>/{run.name}/metrics.json" for run in RUNS],
    output:
        table=report("<results>/tables/metrics.csv", category="Tables"),
    log:
        "<results>/logs/tabulate_metrics/metrics.log",
    benchmark:
        "<results>/benchmarks/tabulate_metrics/metrics.tsv"
    conda:
        "../envs/report.yaml"
    shell:
        r"""
        python workflow/tabulate_metrics.py \
            --metrics {input.metrics:q} \
            --table {output.table:q} \
            2>&1 | tee {log:q}
        """


rule tabulate_training:
    """Gather the records of all trainings."""
    message:
        "Tabulate the trainings"
    input:
        code=code("tabulate_training"),
        records=[f"<results>/{run.name}/training.json" for run in RUNS],
    output:
        table=report("<results>/tables/training.csv", category="Tables"),
    log:
        "<results>/logs/tabulate_training/training.log",
    benchmark:
        "<results>/benchmarks/tabulate_training/training.tsv"
    conda:
        "../envs/report.yaml"
    params:
        varies=VARIES,
    shell:
        r"""
        python workflow/tabulate_training.py \
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
        code=code("tabulate_comparisons"),
        metrics="<results>/tables/metrics.csv",
        records=[f"<results>/{run.name}/training.json" for run in RUNS],
    output:
        ablations=report("<results>/tables/ablations.csv", category="Tables"),
        seeds=report("<results>/tables/seeds.csv", category="Tables"),
        transfer=report("<results>/tables/transfer.csv", category="Tables"),
    log:
        "<results>/logs/tabulate_comparisons/comparisons.log",
    benchmark:
        "<results>/benchmarks/tabulate_comparisons/comparisons.tsv"
    conda:
        "../envs/report.yaml"
    params:
        varies=VARIES,
    shell:
        r"""
        python workflow/tabulate_comparisons.py \
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
        code=code("tabulate_data"),
        about=[f"<data>/{data_set.name}/data_set.json" for data_set in DATA_SETS],
        manifests=[f"<data>/{data_set.name}/manifest.csv" for data_set in DATA_SETS],
    output:
        table=report("<results>/tables/data_sets.csv", category="Tables"),
        credits=report("<results>/tables/credits.csv", category="Tables"),
    log:
        "<results>/logs/tabulate_data/data_sets.log",
    benchmark:
        "<results>/benchmarks/tabulate_data/data_sets.tsv"
    conda:
        "../envs/report.yaml"
    shell:
        r"""
        python workflow/tabulate_data.py \
            --about {input.about:q} \
            --manifests {input.manifests:q} \
            --table {output.table:q} \
            --credits {output.credits:q} \
            2>&1 | tee {log:q}
        """


rule render_report:
    """Render the report from tables and figures."""
    message:
        "Render the report"
    input:
        code=code("render_report"),
        templates=["workflow/deepcolor/templates/report.html.j2"]
        + ["workflow/deepcolor/templates/report.css"],
        published="workflow/deepcolor/published.csv",
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
        ablations="<results>/tables/ablations.csv",
        seeds="<results>/tables/seeds.csv",
        transfer="<results>/tables/transfer.csv",
        data="<results>/tables/data_sets.csv",
        credits="<results>/tables/credits.csv",
        scores=["<results>/baselines/grayscale-copy/per_image.csv"]
        + [f"<results>/{run.name}/per_image.csv" for run in RUNS],
        records=[f"<results>/{run.name}/training.json" for run in RUNS],
        preprocessing=[f"<results>/figures/preprocessing-{each.name}.png" for each in DATA_SETS],
        comparison="<results>/figures/grid-all_models.png",
        costs="<results>/figures/quality_against_cost.svg",
        epochs=[f"<results>/figures/grid-{run.model}.png" for run in longest_runs()],
        curves=[f"<results>/figures/curves-{run.model}.svg" for run in longest_runs()],
    output:
        report=report("<results>/report.html", category="Report"),
    log:
        "<results>/logs/render_report/report.log",
    benchmark:
        "<results>/benchmarks/render_report/report.tsv"
    conda:
        "../envs/report.yaml"
    params:
        # Functions, as a plain text is searched for wildcards.
        title=lambda w: config["title"],
        config=lambda w: json.dumps(config),
        models=[run.model for run in longest_runs()],
        data_sets=[data_set.name for data_set in DATA_SETS],
        as_published=[run.name for run in RUNS if run.as_published],
    shell:
        r"""
        python workflow/render_report.py \
            --title={params.title:q} \
            --config {params.config:q} \
            --metrics {input.metrics:q} \
            --training {input.training:q} \
            --ablations {input.ablations:q} \
            --seeds {input.seeds:q} \
            --transfer {input.transfer:q} \
            --data {input.data:q} \
            --credits {input.credits:q} \
            --scores {input.scores:q} \
            --records {input.records:q} \
            --models {params.models:q} \
            --as-published {params.as_published:q} \
            --data-sets {params.data_sets:q} \
            --preprocessing {input.preprocessing:q} \
            --comparison {input.comparison:q} \
            --costs {input.costs:q} \
            --epochs {input.epochs:q} \
            --curves {input.curves:q} \
            --report {output.report:q} \
            2>&1 | tee {log:q}
        """
