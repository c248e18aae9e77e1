"""Photographs of one's own, colorized by trained networks.

REQUIRES  exported networks, and the folder of `colorize.folder`
MAKES     {results}/{run}/colorized/contact_sheet.html; undeclared beside it the pictures and
          colorized.json, so that what is done is done once, whatever else fails
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
        network=lambda w: f"<results>/{run_of(w).name}/export",
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
            --network {input.network:q} \
            --photographs {params.photographs:q} \
            --settings {params.settings:q} \
            --threads {threads} \
            --sheet {output.sheet:q} \
            2>&1 | tee {log:q}
        """
