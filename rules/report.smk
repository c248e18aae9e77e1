"""Figures, tables, and the report that shows them.

    REQUIRES  metrics, predictions, histories and records of all runs, and the data sets' manifests
    MAKES     {results}/figures/*, {results}/tables/*, {results}/report.html, {results}/summary.*
"""

# By run of a variant, the model that it varies: how the report groups runs, no part of their training.
VARIES = as_json({run.name: run.varies for run in RUNS if run.varies})
RECORDS = [f"<results>/{run.name}/training.json" for run in RUNS]
# A diagram of each architecture: of the first network that has it.
DRAWN = list({run.architecture: run.model for run in reversed(longest_runs())}.values())[::-1]
FIGURES = (
    ["<results>/figures/scores.svg", "<results>/figures/quality_against_cost.svg"]
    + [f"<results>/figures/curves-{run.model}.svg" for run in longest_runs()]
    + [f"<results>/figures/architecture-{model}.svg" for model in DRAWN]
    + ["<results>/figures/workflow.svg"]
    + [f"<results>/figures/preprocessing-{each.name}.png" for each in DATA_SETS]
    + ["<results>/figures/grid-all_models.png"]
    + [f"<results>/figures/grid-{run.model}.png" for run in longest_runs()]
    + [f"<results>/figures/extremes-{name}.png" for name in compared()]
    + (["<results>/figures/acceptance.svg"] if answers_there() else [])
)
TEMPLATES = sorted(
    str(path) for path in Path("workflow/deepcolor/report/templates").rglob("*") if path.is_file()
)


rule plot_curves:
    """Plot loss, PSNR and accuracy of a model's longest training."""
    message:
        "Plot the curves of {wildcards.model}"
    input:
        history=lambda w: f"<results>/{runs_of(w.model)[-1].name}/history.csv",
    output:
        figure=report(
            "<results>/figures/curves-{model}.svg",
            category="Figures",
            caption=caption("curves"),
        ),
    log:
        "<results>/logs/plot_curves/{model}.log",
    benchmark:
        "<results>/benchmarks/plot_curves/{model}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_curves"),
        # A run that starts anew has no epochs in common with the shorter ones.
        milestones=lambda w: [run.epochs for run in runs_of(w.model)][
            -1 if runs_of(w.model)[-1].anew else 0 :
        ],
    shell:
        r"""
        python workflow/scripts/plot_curves.py \
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
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
    output:
        figure=report(
            "<results>/figures/quality_against_cost.svg",
            category="Figures",
            caption=caption("quality_against_cost"),
        ),
    log:
        "<results>/logs/plot_costs/quality_against_cost.log",
    benchmark:
        "<results>/benchmarks/plot_costs/quality_against_cost.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_costs"),
    shell:
        r"""
        python workflow/scripts/plot_costs.py \
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
        samples="<results>/samples.npz",
        baseline="<results>/baselines/grayscale-copy/per_image.csv",
        predictions=lambda w: [f"<results>/{run}/predictions.npy" for run in runs_of_grid(w)],
        scores=lambda w: [f"<results>/{run}/per_image.csv" for run in runs_of_grid(w)],
    output:
        figure=report(
            "<results>/figures/grid-{grid}.png",
            category="Figures",
            caption=caption("grid"),
        ),
    log:
        "<results>/logs/plot_grid/{grid}.log",
    benchmark:
        "<results>/benchmarks/plot_grid/{grid}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_grid"),
        runs=runs_of_grid,
    shell:
        r"""
        python workflow/scripts/plot_grid.py \
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
        manifest=lambda w: f"<data>/{data_set_of(w).name}/manifest.csv",
    output:
        figure=report(
            "<results>/figures/preprocessing-{data_set}.png",
            category="Figures",
            caption=caption("preprocessing"),
        ),
    log:
        "<results>/logs/plot_preprocessing/{data_set}.log",
    benchmark:
        "<results>/benchmarks/plot_preprocessing/{data_set}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_preprocessing"),
        image_size=SIZE,
        images=config["report"]["images"],
        seed=config["seed"],
    shell:
        r"""
        python workflow/scripts/plot_preprocessing.py \
            --manifest {input.manifest:q} \
            --image-size {params.image_size:q} \
            --images {params.images:q} \
            --seed {params.seed:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


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


rule plot_scores:
    """Plot the scores of runs and baselines with their intervals."""
    message:
        "Plot the scores"
    input:
        published="workflow/deepcolor/report/published.csv",
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
    output:
        figure=report(
            "<results>/figures/scores.svg", category="Figures", caption=caption("scores")
        ),
    log:
        "<results>/logs/plot_scores/scores.log",
    benchmark:
        "<results>/benchmarks/plot_scores/scores.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("plot_scores"),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/plot_scores.py \
            --metrics {input.metrics:q} \
            --training {input.training:q} \
            --split {params.split:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule plot_extremes:
    """Set the images that a run colors best and worst side by side."""
    message:
        "Plot the best and the worst images of {wildcards.run}"
    input:
        extremes="<results>/extremes.npz",
        predictions="<results>/{run}/predictions.npy",
        scores="<results>/{run}/per_image.csv",
    output:
        figure=report(
            "<results>/figures/extremes-{run}.png",
            category="Figures",
            caption=caption("extremes"),
        ),
    log:
        "<results>/logs/plot_extremes/{run}.log",
    benchmark:
        "<results>/benchmarks/plot_extremes/{run}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_extremes"),
    shell:
        r"""
        python workflow/scripts/plot_extremes.py \
            --run {wildcards.run:q} \
            --extremes {input.extremes:q} \
            --predictions {input.predictions:q} \
            --scores {input.scores:q} \
            --figure {output.figure:q} \
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
        pictures=list(PICTURES),
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


rule write_summary:
    """Write what was found, and the main figures, on one page."""
    message:
        "Write the summary"
    input:
        published="workflow/deepcolor/report/published.csv",
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
        ablations="<results>/tables/ablations.csv",
        seeds="<results>/tables/seeds.csv",
        comparisons="<results>/tables/comparisons.csv",
        template="workflow/deepcolor/report/templates/summary.md.j2",
    output:
        json="<results>/summary.json",
        markdown=report("<results>/summary.md", category="Report", caption=caption("summary")),
    log:
        "<results>/logs/write_summary/summary.log",
    benchmark:
        "<results>/benchmarks/write_summary/summary.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("write_summary"),
        title=lambda w: as_json(config["title"]),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/write_summary.py \
            --title={params.title:q} \
            --split {params.split:q} \
            --metrics {input.metrics:q} \
            --training {input.training:q} \
            --ablations {input.ablations:q} \
            --seeds {input.seeds:q} \
            --comparisons {input.comparisons:q} \
            --json {output.json:q} \
            --markdown {output.markdown:q} \
            2>&1 | tee {log:q}
        """


rule render_report:
    """Render the report from tables, figures and pictures."""
    message:
        "Render the report"
    input:
        templates=TEMPLATES,
        published="workflow/deepcolor/report/published.csv",
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
        ablations="<results>/tables/ablations.csv",
        seeds="<results>/tables/seeds.csv",
        transfer="<results>/tables/transfer.csv",
        comparisons="<results>/tables/comparisons.csv",
        data="<results>/tables/data_sets.csv",
        credits="<results>/tables/credits.csv",
        records=RECORDS,
        models=[f"<results>/{run.name}/model.keras" for run in RUNS],
        scores=files_of_all("per_image.csv"),
        predictions=[f"<results>/{run.name}/predictions.npy" for run in RUNS]
        + [f"<results>/{name}/predictions.npy" for name in PICTURES],
        samples="<results>/samples.npz",
        extremes="<results>/extremes.npz",
        figures=FIGURES,
        distances=DISTANCES,
        acceptance=ACCEPTANCE if answers_there() else [],
    output:
        report=report("<results>/report.html", category="Report", caption=caption("report")),
    log:
        "<results>/logs/render_report/report.log",
    benchmark:
        "<results>/benchmarks/render_report/report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("render_report"),
        # Functions, as a plain text is searched for wildcards.
        title=lambda w: as_json(config["title"]),
        config=lambda w: as_json(config),
        compared=compared(),
        as_published=[run.name for run in RUNS if run.as_published],
        benchmarks=f"{config['results']}/benchmarks",
    shell:
        r"""
        python workflow/scripts/render_report.py \
            --title={params.title:q} \
            --config {params.config:q} \
            --metrics {input.metrics:q} \
            --training {input.training:q} \
            --ablations {input.ablations:q} \
            --seeds {input.seeds:q} \
            --transfer {input.transfer:q} \
            --comparisons {input.comparisons:q} \
            --data {input.data:q} \
            --credits {input.credits:q} \
            --records {input.records:q} \
            --scores {input.scores:q} \
            --predictions {input.predictions:q} \
            --compared {params.compared:q} \
            --as-published {params.as_published:q} \
            --samples {input.samples:q} \
            --extremes {input.extremes:q} \
            --figures {input.figures:q} \
            --distances {input.distances:q} \
            --acceptance {input.acceptance:q} \
            --benchmarks {params.benchmarks:q} \
            --report {output.report:q} \
            2>&1 | tee {log:q}
        """
