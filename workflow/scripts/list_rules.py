"""List the rules of the workflow and which reads the files of which, as Snakemake knows them."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deepcolor import script
from deepcolor.config.registry import CURATED_SOURCES
from deepcolor.errors import DeepColorError
from deepcolor.files import write_json

# What asks Snakemake for the graph: nothing is run, locked, or taken from a profile.
GRAPH = ["--rulegraph", "dot", "--nolock", "--ignore-incomplete", "--workflow-profile", "none"]


def main() -> None:
    """Parse the command line and list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="complete configuration, JSON")
    parser.add_argument("--target", required=True, help="rule whose inputs are asked for")
    parser.add_argument("--snakefiles", type=Path, nargs="+", required=True, help="where rules are")
    parser.add_argument(
        "--answered", choices=["yes", "no"], required=True, help="people's answers are there"
    )
    parser.add_argument("--rules", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    names, edges = graph(args.config, args.target, args.answered == "yes")
    # The order of the files, and of the rules in them.
    stages = {
        name: path.stem
        for path in args.snakefiles
        for name in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    rules = [name for name in stages if name in names and name != args.target]
    write_json(
        args.rules,
        {
            "rules": [{"name": name, "stage": stages[name]} for name in rules],
            "edges": sorted(
                (list(edge) for edge in edges if set(edge) <= set(rules)),
                key=lambda edge: [rules.index(name) for name in edge],
            ),
        },
    )
    print(f"list_rules: {len(rules)} rules", flush=True)


def graph(config: str, target: str, answered: bool) -> tuple[set[str], set[tuple[str, str]]]:
    """Ask Snakemake for the graph of the rules.

    Args:
        config: Complete configuration, JSON.
        target: A rule or file.
        answered: Whether there are people's answers to the user study.

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
        asked = [sys.executable, "-m", "snakemake", *GRAPH, "--configfile", str(file), "--", target]
        result = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if line.strip()]
        raise DeepColorError(
            f"Snakemake gives no graph of the rules ({said[-1] if said else 'it says nothing'}); "
            "see what `snakemake --rulegraph` says"
        )
    nodes = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', result.stdout, flags=re.MULTILINE))
    pairs = re.findall(r"^\s*(\d+) -> (\d+)$", result.stdout, flags=re.MULTILINE)
    return set(nodes.values()), {(nodes[source], nodes[reader]) for source, reader in pairs}


if __name__ == "__main__":
    script.run(main)
