"""Plot the stages that a network consists of."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.report.diagrams.plots import plot_architecture


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--architecture", type=Path, required=True, help="JSON file, see describe_architecture"
    )
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    plot_architecture(read_json(args.architecture), args.figure)
    print(f"plot_architecture: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
