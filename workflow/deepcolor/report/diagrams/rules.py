"""The rules of the workflow, and which reads the files of which, as Snakemake knows them."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepcolor.config.registry import CURATED_SOURCES
from deepcolor.errors import DeepColorError

# What asks Snakemake for the graph: nothing is run, locked, or taken from a profile.
GRAPH = ["--rulegraph", "dot", "--nolock", "--ignore-incomplete", "--workflow-profile", "none"]


def list_rules(
    config: str, target: str, stages: Mapping[str, str], answered: bool
) -> dict[str, list[Any]]:
    """List the rules that a target needs.

    Args:
        config: Complete configuration, JSON.
        target: Rule whose inputs are asked for.
        stages: Stage of every rule, in the order of the flow.
        answered: Whether there are answers to the user study.

    Returns:
        rules: name and stage of each, in the order of the flow; edges: pairs of names, a rule
        and one that reads its files.

    Raises:
        DeepColorError: Snakemake cannot tell.
    """
    names, edges = graph(config, target, answered)
    rules = [name for name in stages if name in names and name != target]
    return {
        "rules": [{"name": name, "stage": stages[name]} for name in rules],
        "edges": sorted(
            (list(edge) for edge in edges if set(edge) <= set(rules)),
            key=lambda edge: [rules.index(name) for name in edge],
        ),
    }


def graph(config: str, target: str, answered: bool) -> tuple[set[str], set[tuple[str, str]]]:
    """Ask Snakemake for the graph of the rules.

    Args:
        config: Complete configuration, JSON.
        target: A rule or file.
        answered: Whether there are answers to the user study.

    Returns:
        The names of the rules that the target needs, and pairs of a rule and one that reads its files.

    Raises:
        DeepColorError: Snakemake cannot tell.
    """
    given = json.loads(config)
    for data_set in given["data_sets"].values():
        if data_set["source"] in CURATED_SOURCES:  # It refuses what has been filled in for others.
            data_set.pop("checks", None)
            data_set.pop("test", None)
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    with tempfile.TemporaryDirectory() as folder:
        # Nothing is there yet: other jobs remove and make files while Snakemake looks. Only people's
        # answers, which no job makes, bring rules of their own.
        if answered:
            answers = Path(folder, "results", "study", "answers.csv")
            answers.parent.mkdir(parents=True)
            answers.touch()
        given |= {"results": f"{folder}/results", "data": f"{folder}/data"}
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(given), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", *GRAPH, "--configfile", str(file), "--", target]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise DeepColorError(
            f"Snakemake gives no graph of the rules ({lines[-1] if lines else 'it says nothing'}); "
            "see what `snakemake --rulegraph` says"
        )
    nodes = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', result.stdout, flags=re.MULTILINE))
    pairs = re.findall(r"^\s*(\d+) -> (\d+)$", result.stdout, flags=re.MULTILINE)
    return set(nodes.values()), {(nodes[source], nodes[reader]) for source, reader in pairs}
