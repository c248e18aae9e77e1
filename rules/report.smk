"""The report, its summary, and a model card of every run.

REQUIRES  figures, tables, predictions and drawn images; trained networks and their scores
MAKES     {results}/report.html, {results}/summary.json and summary.md;
          {results}/{run}/model_card.json and MODEL_CARD.md
"""

MODEL_CARDS = [
    f"<results>/{run.name}/{file}" for run in RUNS for file in ("model_card.json", "MODEL_CARD.md")
]

# Templates, styles and published figures: what the page is rendered from.
TEMPLATES = sorted(
    str(path)
    for path in Path("workflow/deepcolor/report/templates").rglob("*")
    if path.is_file() and not path.name.endswith(".md.j2")
) + ["workflow/deepcolor/report/published.csv"]
# Tables that the report shows.
TABLES_SHOWN = "metrics training ablations seeds transfer comparisons data_sets credits".split()
# Networks, whose checksums the report shows.
NETWORKS = [f"<results>/{run.name}/model.keras" for run in RUNS]
# Networks and external predictions.
NAMES = [run.name for run in RUNS] + list(EXTERNAL)


rule write_model_card:
    """Write the model card of a run: what it is, learned from, and is worth."""
    message:
        "Write the model card of {wildcards.run}"
    input:
        model="<results>/{run}/model.keras",
        record="<results>/{run}/training.json",
        metrics=lambda w: files_of_card(w, "metrics.json"),
        scores=lambda w: files_of_card(w, "per_image.csv"),
        about=[f"<data>/{data_set.name}/data_set.json" for data_set in DATA_SETS],
        manifests=MANIFESTS,
        template="workflow/deepcolor/report/templates/MODEL_CARD.md.j2",
    output:
        json="<results>/{run}/model_card.json",
        markdown=report(
            "<results>/{run}/MODEL_CARD.md",
            category="Model cards",
            caption=caption("model_card"),
        ),
    log:
        "<results>/logs/write_model_card/{run}.log",
    benchmark:
        "<results>/benchmarks/write_model_card/{run}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **TABLES,
    params:
        code=code_of("write_model_card"),
        split=config["evaluation"]["split"],
    shell:
        r"""
        python workflow/scripts/write_model_card.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --record {input.record:q} \
            --metrics {input.metrics:q} \
            --scores {input.scores:q} \
            --about {input.about:q} \
            --manifests {input.manifests:q} \
            --split {params.split:q} \
            --json {output.json:q} \
            --markdown {output.markdown:q} \
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
    """Render the report from tables, figures and images."""
    message:
        "Render the report"
    input:
        parts=TEMPLATES + NETWORKS,
        tables=[f"<results>/tables/{name}.csv" for name in TABLES_SHOWN],
        records=RECORDS,
        scores=files_of_all("per_image.csv"),
        predictions=[f"<results>/{name}/predictions.npy" for name in NAMES],
        samples="<results>/samples.npz",
        extremes="<results>/extremes.npz",
        figures=FIGURES,
        distances=DISTANCES,
        certainty=CERTAINTY,
        maps=[f"<results>/{name}/certainty.npy" for name in CLASS_RUNS],
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
        config=whole_config,
        rules=list(STAGES),
        compared=compared(),
        as_published=[run.name for run in RUNS if run.as_published],
    shell:
        r"""
        python workflow/scripts/render_report.py \
            --config {params.config:q} \
            --tables {input.tables:q} \
            --records {input.records:q} \
            --scores {input.scores:q} \
            --predictions {input.predictions:q} \
            --compared {params.compared:q} \
            --as-published {params.as_published:q} \
            --samples {input.samples:q} \
            --extremes {input.extremes:q} \
            --figures {input.figures:q} \
            --distances {input.distances:q} \
            --certainty {input.certainty:q} \
            --rules {params.rules:q} \
            --acceptance {input.acceptance:q} \
            --report {output.report:q} \
            2>&1 | tee {log:q}
        """
