"""Networks in formats that run without Keras.

REQUIRES  a trained network with its model card
MAKES     {results}/{run}/export/ with model.onnx and model.tflite, if asked for
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
        **job_resources(lambda w: resources.exporting(run_of(w).architecture)),
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


rule bundle_network:
    """Gather the files with which a network comes with DeepColor."""
    message:
        "Bundle {wildcards.run}"
    input:
        model=class_network_of,
        exported="<results>/{run}/export",
        manifests=lambda w: [f"<data>/{name}/manifest.csv" for name in run_of(w).train_on],
    output:
        folder=directory("<results>/{run}/bundle"),
    log:
        "<results>/logs/bundle_network/{run}.log",
    benchmark:
        "<results>/benchmarks/bundle_network/{run}.tsv"
    conda:
        "../envs/export.yaml"
    resources:
        **job_resources(lambda w: resources.exporting(run_of(w).architecture)),
    params:
        code=code_of("bundle_network"),
    shell:
        r"""
        python workflow/scripts/bundle_network.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --exported {input.exported:q} \
            --manifests {input.manifests:q} \
            --folder {output.folder:q} \
            2>&1 | tee {log:q}
        """
