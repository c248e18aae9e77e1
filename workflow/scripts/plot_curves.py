"""Plot the curves of a training."""

import argparse
from pathlib import Path

import pandas as pd
from deepcolor import script
from deepcolor.report.figures import plot_curves


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=Path, required=True, help="CSV file of the run")
    parser.add_argument("--milestones", type=int, nargs="+", required=True, help="epochs to mark")
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    plot_curves(pd.read_csv(args.history), args.milestones, args.figure)
    print(f"plot_curves: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
