"""Plot the scores of runs and baselines with their intervals."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.report import context
from deepcolor.report.figures import plot_scores
from deepcolor.report.tables import read_table


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="CSV table")
    parser.add_argument("--training", type=Path, required=True, help="CSV table")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    rows = context.results(read_table(args.metrics), read_table(args.training), [], args.split)
    # The ceiling lies so far off that all else would be crowded.
    plot_scores([row for row in rows if row["run"] != "true-chroma"], args.figure)
    print(f"plot_scores: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
