"""Plot what networks reach against what they cost."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.report.figures import plot_costs
from deepcolor.report.tables import as_predicted, read_table


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="CSV table")
    parser.add_argument("--training", type=Path, required=True, help="CSV table")
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    metrics = read_table(args.metrics)
    means = as_predicted(metrics, "all")
    baseline = means[means["run"] == "grayscale-copy"]["psnr"].iloc[0]
    runs = read_table(args.training).merge(means[["run", "psnr"]], on="run")
    plot_costs(runs, baseline, args.figure)
    print(f"plot_costs: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
