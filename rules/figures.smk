"""Figures: curves, scores, costs, and grids of images.

REQUIRES  tables, histories, predictions and drawn images of runs
MAKES     {results}/figures/*
"""

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
    + (["<results>/figures/reliability.svg"] if CLASS_RUNS else [])
    + (["<results>/figures/acceptance.svg"] if answers_there() else [])
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
        # A run that starts from scratch has no epochs in common with the shorter ones.
        milestones=lambda w: [run.epochs for run in runs_of(w.model)][
            -1 if runs_of(w.model)[-1].restart_reason else 0 :
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


rule plot_scores:
    """Plot the scores of runs and baselines with their intervals."""
    message:
        "Plot the scores"
    input:
        published="workflow/deepcolor/report/published.csv",
        metrics="<results>/tables/metrics.csv",
        training="<results>/tables/training.csv",
    output:
        figure=report("<results>/figures/scores.svg", category="Figures", caption=caption("scores")),
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


rule plot_reliability:
    """Plot how often networks of color classes are right against how sure they are."""
    message:
        "Plot the reliability of color classes"
    input:
        certainty=compared_certainty,
    output:
        figure=report(
            "<results>/figures/reliability.svg",
            category="Figures",
            caption=caption("reliability"),
        ),
    log:
        "<results>/logs/plot_reliability/reliability.log",
    benchmark:
        "<results>/benchmarks/plot_reliability/reliability.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_reliability"),
    shell:
        r"""
        python workflow/scripts/plot_reliability.py \
            --certainty {input.certainty:q} \
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


rule plot_extremes:
    """Set the images that a run colors best and worst side by side."""
    message:
        "Plot the best and the worst images of {wildcards.run}"
    input:
        extremes="<results>/extremes.npz",
        predictions="<results>/{run}/predictions.npy",
        scores=compared_scores,
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
