"""Diagrams: what the networks consist of, and how the rules of this workflow hang together.

REQUIRES  trained networks, and the Snakefile
MAKES     {results}/{run}/architecture.json, {results}/figures/architecture-{model}.svg,
          {results}/rules.json, {results}/figures/workflow.svg
"""

import re

# In the order in which the rules run.
SNAKEFILES = re.findall(r'^include: "(.+)"', Path("Snakefile").read_text(), flags=re.MULTILINE)
SNAKEFILES += ["Snakefile"]
# The stage of every rule: its file.
STAGES = {
    name: Path(path).stem
    for path in SNAKEFILES
    for name in re.findall(r"^rule (\w+):", Path(path).read_text(), flags=re.MULTILINE)
}


rule describe_architecture:
    """Describe a trained network stage by stage."""
    message:
        "Describe the architecture of {wildcards.run}"
    input:
        model=lambda w: f"<results>/{run_of(w).name}/model.keras",
    output:
        architecture="<results>/{run}/architecture.json",
    log:
        "<results>/logs/describe_architecture/{run}.log",
    benchmark:
        "<results>/benchmarks/describe_architecture/{run}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **job_resources(lambda w: resources.loading(run_of(w).architecture)),
    params:
        code=code_of("describe_architecture"),
        image_size=SIZE,
    shell:
        r"""
        python workflow/scripts/describe_architecture.py \
            --run {wildcards.run:q} \
            --model {input.model:q} \
            --image-size {params.image_size:q} \
            --architecture {output.architecture:q} \
            2>&1 | tee {log:q}
        """


rule plot_architecture:
    """Plot the stages that a model's network consists of."""
    message:
        "Plot the architecture of {wildcards.model}"
    input:
        architecture=lambda w: f"<results>/{runs_of(w.model)[-1].name}/architecture.json",
    output:
        figure=report(
            "<results>/figures/architecture-{model}.svg",
            category="Figures",
            caption=caption("architecture"),
        ),
    log:
        "<results>/logs/plot_architecture/{model}.log",
    benchmark:
        "<results>/benchmarks/plot_architecture/{model}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_architecture"),
    shell:
        r"""
        python workflow/scripts/plot_architecture.py \
            --architecture {input.architecture:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """


rule list_rules:
    """List the rules of the workflow and which reads the files of which."""
    message:
        "List the rules"
    output:
        rules="<results>/rules.json",
    log:
        "<results>/logs/list_rules/rules.log",
    benchmark:
        "<results>/benchmarks/list_rules/rules.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("list_rules", lambda w: "deepcolor.config.configuration"),
        # A function, as a plain text is searched for wildcards. The title changes nothing in the graph.
        config=lambda w: as_json({key: config[key] for key in config if key != "title"}),
        stages=as_json(STAGES),
        answered="yes" if answers_there() else "no",
        # No argument: comments aside, another rule may make another graph.
        snakefiles=dependencies.rules_digest(SNAKEFILES),
    shell:
        r"""
        python workflow/scripts/list_rules.py \
            --config {params.config:q} \
            --target all \
            --stages {params.stages:q} \
            --answered {params.answered:q} \
            --rules {output.rules:q} \
            2>&1 | tee {log:q}
        """


rule plot_workflow:
    """Plot the rules of the workflow and what goes from one to another."""
    message:
        "Plot the workflow"
    input:
        rules="<results>/rules.json",
    output:
        figure=report(
            "<results>/figures/workflow.svg",
            category="Figures",
            caption=caption("workflow"),
        ),
    log:
        "<results>/logs/plot_workflow/workflow.log",
    benchmark:
        "<results>/benchmarks/plot_workflow/workflow.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("plot_workflow"),
    shell:
        r"""
        python workflow/scripts/plot_workflow.py \
            --rules {input.rules:q} \
            --figure {output.figure:q} \
            2>&1 | tee {log:q}
        """
