"""Plot the rules of the workflow and what goes from one to another."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.report.diagrams.plots import plot_workflow


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=Path, required=True, help="JSON file, see list_rules")
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    plot_workflow(read_json(args.rules), args.figure)
    print(f"plot_workflow: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
