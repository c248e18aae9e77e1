"""What jobs have asked for beside what they have used, of a run with `--benchmark-extended`.

    snakemake --cores 2 --benchmark-extended all
    python tests/benchmarks/demands.py results/benchmarks

`workflow/profiles/slurm` writes such benchmarks by itself. Shown is, of every rule, the job that came
nearest to what it had asked for.
"""

import argparse
import csv
import sys
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Use:
    """One job.

    Attributes:
        rule: Its name.
        job: Name of its benchmark file, without suffix.
        memory: MB used, and asked for.
        minutes: Of run time used, and asked for.
    """

    rule: str
    job: str
    memory: tuple[float, float]
    minutes: tuple[float, float]


def uses(folder: Path) -> Iterator[Use]:
    """What all jobs used, by the benchmarks below a folder.

    Raises:
        SystemExit: There are none, or they do not say what was asked for.
    """
    files = sorted(folder.rglob("*.tsv"))
    if not files:
        sys.exit(f"{folder} holds no benchmarks; run snakemake with --benchmark-extended")
    for path in files:
        with path.open(encoding="utf-8") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        if "resources" not in row:
            sys.exit(f"{path} does not say what was asked for; run snakemake with --benchmark-extended")
        asked = literal_eval(row["resources"])
        # Jobs too short to be looked at have no memory.
        used = 0.0 if row["max_rss"] == "NA" else float(row["max_rss"]) * 2**20 / 1e6
        yield Use(
            row["rule_name"],
            path.stem,
            (used, asked["mem_mb"]),
            (float(row["s"]) / 60, asked["runtime"]),
        )


def main() -> None:
    """Parse the command line and print; exit with 1 where a job used more than it asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="with Snakemake's benchmarks")
    args = parser.parse_args()
    print(f"{'rule':24s}{'MB used':>9s}{'asked':>9s}{'share':>7s}{'min used':>10s}{'asked':>7s}  job")
    nearest: dict[str, Use] = {}
    for use in uses(args.folder):
        before = nearest.get(use.rule, use)
        nearest[use.rule] = max(before, use, key=lambda each: each.memory[0] / each.memory[1])
    for rule, use in nearest.items():
        (memory, asked), (minutes, time) = use.memory, use.minutes
        share = memory / asked
        print(f"{rule:24s}{memory:9.0f}{asked:9.0f}{share:7.0%}{minutes:10.2f}{time:7.0f}  {use.job}")
    over = [
        each
        for each in uses(args.folder)
        if any(used > asked for used, asked in (each.memory, each.minutes))
    ]
    for use in over:
        print(f"too little: {use}")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
