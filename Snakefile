"""DeepColor: from photographs to a report that compares the colorization networks of config.yaml.

snakemake --cores 4 all                            the report, and all that it needs
snakemake --cores 2 results/unet_30/metrics.json   one run
snakemake --list-rules                             what each rule does
"""

from snakemake.utils import min_version

min_version("9.20")

# The default, and where scripts find the library, be it in an environment of conda.
shell.prefix("set -euo pipefail; export PYTHONPATH=workflow${{PYTHONPATH:+:$PYTHONPATH}}; ")


include: "rules/common.smk"


pathvars:
    results=config["results"],
    data=config["data"],


include: "rules/inputs.smk"
include: "rules/preflight.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/samples.smk"
include: "rules/tables.smk"
include: "rules/diagrams.smk"
include: "rules/export.smk"
include: "rules/study.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/colorize.smk"


rule all:
    """The report, and a card of every network."""
    default_target: True
    input:
        "<results>/report.html",
        "<results>/summary.json",
        MODEL_CARDS,
