"""Photographs colorized by trained networks: one's own, and the inputs of the evaluation.

REQUIRES  exported networks, and the folder of `colorize.folder`; the inputs
MAKES     {results}/{run}/colorized/contact_sheet.html; undeclared beside it the pictures and
          colorized.json, so that what is done is done once, whatever else fails;
          {results}/{run}/pictures/, where {run} is the name of a reference
"""

# What the contact sheet is rendered from.
SHEET_PARTS = [
    "workflow/deepcolor/colorize/static/base.css",
    *(
        f"workflow/deepcolor/colorize/templates/contact_sheet.{kind}"
        for kind in ("css", "html.j2", "js")
    ),
]


rule colorize_photographs:
    """Colorize the photographs of a folder with a network."""
    message:
        "Colorize photographs with {wildcards.run}"
    input:
        page=SHEET_PARTS,
        exported=lambda w: f"<results>/{run_of(w).name}/export",
    output:
        sheet="<results>/{run}/colorized/contact_sheet.html",
    log:
        "<results>/logs/colorize_photographs/{run}.log",
    benchmark:
        "<results>/benchmarks/colorize_photographs/{run}.tsv"
    conda:
        "../envs/colorize.yaml"
    threads: THREADS
    resources:
        **job_resources(lambda w: resources.colorizing(THREADS)),
    params:
        code=code_of("colorize_photographs"),
        photographs=lambda w: as_json(photographs_to_colorize(w)),
        fingerprint=lambda w: fingerprint(config["colorize"]["folder"]),
        # A function, as a plain text is searched for wildcards.
        settings=lambda w: as_json(config["colorize"]),
    shell:
        r"""
        python workflow/scripts/colorize_photographs.py \
            --network {input.exported:q}/model.onnx \
            --photographs {params.photographs:q} \
            --settings {params.settings:q} \
            --threads {threads} \
            --sheet {output.sheet:q} \
            2>&1 | tee {log:q}
        """


rule colorize_inputs:
    """Colorize the inputs with the network that comes with DeepColor."""
    message:
        "Colorize the inputs with {wildcards.run}"
    input:
        network=lambda w: (
            os.path.relpath(BUNDLED_NETWORK)
            if w.run in REFERENCES
            else stop(f"'{w.run}' is no trained network from elsewhere")
        ),
        inputs="<results>/inputs",
    output:
        pictures=directory("<results>/{run}/pictures"),
    log:
        "<results>/logs/colorize_inputs/{run}.log",
    benchmark:
        "<results>/benchmarks/colorize_inputs/{run}.tsv"
    conda:
        "../envs/colorize.yaml"
    threads: 1
    resources:
        **job_resources(lambda w: resources.colorizing(1)),
    params:
        code=code_of("colorize_inputs"),
    shell:
        r"""
        python workflow/scripts/colorize_inputs.py \
            --network {input.network:q} \
            --inputs {input.inputs:q} \
            --threads {threads} \
            --pictures {output.pictures:q} \
            2>&1 | tee {log:q}
        """
