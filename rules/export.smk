"""What goes with a network: its card, and formats that run without Keras.

    REQUIRES  a trained network with its scores, and the manifests of the data sets in use
    MAKES     {results}/{run}/model_card.json and MODEL_CARD.md;
              {results}/{run}/export/ with model.onnx and model.tflite, if asked for
"""

MODEL_CARDS = [
    f"<results>/{run.name}/{file}" for run in RUNS for file in ("model_card.json", "MODEL_CARD.md")
]


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


rule export_model:
    """Export a network as ONNX and TensorFlow Lite, checked against Keras, with its card."""
    message:
        "Export {wildcards.run}"
    input:
        model=lambda w: f"<results>/{run_of(w).name}/model.keras",
        card="<results>/{run}/model_card.json",
        markdown="<results>/{run}/MODEL_CARD.md",
    output:
        folder=directory("<results>/{run}/export"),
    log:
        "<results>/logs/export_model/{run}.log",
    benchmark:
        "<results>/benchmarks/export_model/{run}.tsv"
    conda:
        "../envs/export.yaml"
    threads: 2
    resources:
        **demand(lambda w: resources.exporting(run_of(w).architecture)),
    params:
        code=code_of("export_model"),
    shell:
        r"""
        python workflow/scripts/export_model.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --card {input.card:q} \
            --markdown {input.markdown:q} \
            --threads {threads} \
            --folder {output.folder:q} \
            2>&1 | tee {log:q}
        """
